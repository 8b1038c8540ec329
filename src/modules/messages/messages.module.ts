import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { DeliveryModule } from '../delivery';
import { RoomsModule } from '../rooms';
import { AppendOptions, AppendRepository } from './appender/append.repository';
import { Appender } from './appender/appender';
import { ChatLog } from './chat-log.repository';
import { MessageFacts, MessagesRepository } from './messages.repository';
import { MessagesErase, ReactionsErase } from './messages.functions';
import { AgentRooms, MessageFeed } from './message-feed';
import { MessagesService, MessageWriter } from './messages.service';
import { MessagesExportRepository } from './messages-export.repository';
import { MessagePages } from './message-pages';
import { MessagePreviews } from './message-previews';
import { MessageTraces } from './message-traces';
import { MessagesController } from './messages.controller';
import { MessagesGateway } from './messages.gateway';
import { RoomStates } from './room-states.repository';
import { LogMessageFrames, MessagesRoomLog } from './room-log/room-log';
import { MissedRepository, RoomLogRepository } from './room-log/room-log.repository';
import { SeenController } from './seen/seen.controller';
import { SeenService } from './seen/seen.service';
import { HeldMessageEntity } from './entities/held-message.entity';
import { MessageEntity } from './entities/message.entity';
import { MessageReactionCountsEntity, MessageReactionEntity, RoomPinEntity } from './entities/message-state.entity';
import { MessageVersionEntity } from './entities/message-version.entity';
import { PinsRepository } from './states/pins.repository';
import { ReactionsRepository } from './states/reactions.repository';
import { StatesController } from './states/states.controller';
import { StatesGateway } from './states/states.gateway';
import { StatesService } from './states/states.service';

const STATE_ENTITIES = [MessageReactionEntity, MessageReactionCountsEntity, RoomPinEntity];

@Module({
  imports: [
    TypeOrmModule.forFeature([MessageEntity, HeldMessageEntity, MessageVersionEntity, ...STATE_ENTITIES]),
    RealtimeModule,
    RoomsModule,
    DeliveryModule,
  ],
  controllers: [MessagesController, StatesController, SeenController],
  providers: [
    AgentRooms,
    MessagesErase,
    PinsRepository,
    ReactionsErase,
    ReactionsRepository,
    StatesGateway,
    StatesService,
    AppendRepository,
    Appender,
    AppendOptions,
    ChatLog,
    MessageFacts,
    MessageFeed,
    MessagePages,
    MessageWriter,
    MessagesGateway,
    MessagesExportRepository,
    MessagesRepository,
    MessagesService,
    SeenService,
    MissedRepository,
    RoomStates,
    RoomLogRepository,
    MessagePreviews,
    MessageTraces,
    MessagesRoomLog,
    LogMessageFrames,
  ],
  exports: [
    AgentRooms,
    ChatLog,
    MessageWriter,
    MessageFacts,
    MessageTraces,
    MessagesService,
    MessagePreviews,
    MessagesRoomLog,
    LogMessageFrames,
  ],
})
export class MessagesModule {}

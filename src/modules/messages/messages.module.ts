import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { DeliveryModule } from '../delivery';
import { RoomsModule } from '../rooms';
import { AppendOptions, AppendRepository } from './appender/append.repository';
import { Appender } from './appender/appender';
import { ChatLog } from './chat-log.repository';
import { MessageFacts, MessagesRepository } from './messages.repository';
import { MessagesErase } from './messages.functions';
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
import { MessageVersionEntity } from './entities/message-version.entity';

@Module({
  imports: [
    TypeOrmModule.forFeature([MessageEntity, HeldMessageEntity, MessageVersionEntity]),
    RealtimeModule,
    RoomsModule,
    DeliveryModule,
  ],
  controllers: [MessagesController, SeenController],
  providers: [
    AgentRooms,
    MessagesErase,
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

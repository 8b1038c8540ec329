import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MessageFrames, RoomLog } from '../../platform/realtime';
import { DeliveryModule } from '../delivery';
import { RoomPreviews } from '../rooms';
import { AiTurns } from './ai-turns';
import { AppendHooks } from './append-hooks';
import { AppendRepository } from './appender/append.repository';
import { Appender } from './appender/appender';
import { ChatLog } from './chat-log';
import { MessageFacts } from './message-facts';
import { MessageFeed } from './message-feed';
import { MessageWriter } from './message-writer';
import { MessagePreviews } from './message-previews';
import { MessagesController } from './messages.controller';
import { MessagesGateway } from './messages.gateway';
import { MessagesRepository } from './messages.repository';
import { MessagesService } from './messages.service';
import { LogMessageFrames } from './room-log/messages-frames';
import { MessagesRoomLog } from './room-log/messages-room-log';
import { MissedRepository } from './room-log/missed.repository';
import { RoomLogRepository } from './room-log/room-log.repository';
import { MessageEntity } from './entities/message.entity';

/** Global, because it implements ports of the rooms module and of the platform, which do not know it. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([MessageEntity]), DeliveryModule],
  controllers: [MessagesController],
  providers: [
    AiTurns,
    AppendHooks,
    AppendRepository,
    Appender,
    ChatLog,
    MessageFacts,
    MessageFeed,
    MessageWriter,
    MessagesGateway,
    MessagesRepository,
    MessagesService,
    MissedRepository,
    RoomLogRepository,
    { provide: RoomPreviews, useClass: MessagePreviews },
    { provide: RoomLog, useClass: MessagesRoomLog },
    { provide: MessageFrames, useClass: LogMessageFrames },
  ],
  exports: [
    AiTurns,
    AppendHooks,
    ChatLog,
    MessageWriter,
    RoomPreviews,
    RoomLog,
    MessageFacts,
    MessageFrames,
    MessagesService,
  ],
})
export class MessagesModule {}

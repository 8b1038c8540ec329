import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SseModule } from '../../platform/http';
import { RealtimeModule } from '../../realtime';
import { MessagesModule } from '../messages';
import { ModelsModule } from '../models';
import { RoomsModule } from '../rooms';
import { TenantsModule } from '../tenants';
import { Chats, ChatStreams, Turns } from './contract';
import { Answerer } from './runs/answerer';
import { Budgets } from './turns/budgets';
import { ChatHub } from './streams/chat-hub';
import { ChatNews } from './chats/chat-news';
import { ChatStreamsService } from './streams/chat-streams.service';
import { ChatsRepository } from './chats/chats.repository';
import { ChatsService } from './chats/chats.service';
import { ChunkWriter } from './runs/chunk-writer';
import { Interrupts } from './turns/interrupts';
import { LiveRuns } from './runs/live-runs';
import { Reruns } from './turns/reruns';
import { RunChunksRepository } from './runs/run-chunks.repository';
import { RunEnds } from './runs/run-ends';
import { RunPublisher } from './runs/run-publisher';
import { RunWorker } from './runs/run-worker';
import { RunsRepository } from './runs/runs.repository';
import { RunSnapshots } from './streams/snapshots';
import { Stops } from './turns/stops';
import { Titles } from './chats/titles';
import { TurnGate } from './turns/turn-gate';
import { RoomTurns, TurnsService } from './turns/turns.service';
import { AnswerStreams } from './http/answer-streams';
import { AnswerWaits } from './http/answer-waits';
import { Answers } from './http/answers';
import { ChatController } from './http/chat.controller';
import { ChatsController } from './http/chats.controller';
import { ConversationsController } from './http/conversations.controller';
import { TurnsController } from './http/turns.controller';
import { CHAT_SOCKET_PROVIDERS } from './socket/providers';
import { ChatEntity } from './entities/chat.entity';
import { RunEntity } from './entities/run.entity';
import { RunChunkEntity } from './entities/run-chunk.entity';

@Module({
  imports: [
    TypeOrmModule.forFeature([ChatEntity, RunEntity, RunChunkEntity]),
    RealtimeModule,
    SseModule,
    TenantsModule,
    RoomsModule,
    MessagesModule,
    ModelsModule,
  ],
  controllers: [ChatController, ChatsController, ConversationsController, TurnsController],
  providers: [
    AnswerStreams,
    AnswerWaits,
    Answerer,
    Answers,
    Budgets,
    ChatHub,
    ChatNews,
    ChatsRepository,
    ChunkWriter,
    Interrupts,
    LiveRuns,
    Reruns,
    RunChunksRepository,
    RunEnds,
    RunPublisher,
    RunSnapshots,
    RunWorker,
    RunsRepository,
    Stops,
    Titles,
    TurnGate,
    RoomTurns,
    ...CHAT_SOCKET_PROVIDERS,
    { provide: Chats, useClass: ChatsService },
    { provide: Turns, useClass: TurnsService },
    { provide: ChatStreams, useClass: ChatStreamsService },
  ],
  exports: [Chats, RoomTurns],
})
export class ChatsModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SseModule } from '../../platform/http';
import { RealtimeModule } from '../../realtime';
import { MessagesModule } from '../messages';
import { ModelsModule } from '../models';
import { RoomsModule } from '../rooms';
import { TenantsModule } from '../tenants';
import { Chats, ChatStreams, Turns } from './contract';
import { Answerer } from './core/answerer';
import { Budgets } from './core/budgets';
import { ChatHub } from './core/chat-hub';
import { ChatNews } from './core/chat-news';
import { ChatStreamsService } from './core/chat-streams.service';
import { ChatsRepository } from './core/chats.repository';
import { ChatsService } from './core/chats.service';
import { ChunkWriter } from './core/chunk-writer';
import { Interrupts } from './core/interrupts';
import { LiveRuns } from './core/live-runs';
import { Reruns } from './core/reruns';
import { RunChunksRepository } from './core/run-chunks.repository';
import { RunEnds } from './core/run-ends';
import { RunPublisher } from './core/run-publisher';
import { RunWorker } from './core/run-worker';
import { RunsRepository } from './core/runs.repository';
import { RunSnapshots } from './core/snapshots';
import { Stops } from './core/stops';
import { Titles } from './core/titles';
import { TurnGate } from './core/turn-gate';
import { RoomTurns, TurnsService } from './core/turns.service';
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

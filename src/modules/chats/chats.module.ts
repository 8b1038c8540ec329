import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SseModule } from '../../platform/http';
import { RealtimeModule } from '../../realtime';
import { MessagesModule } from '../messages';
import { ModelsModule } from '../models';
import { RoomsModule } from '../rooms';
import { TenantsModule } from '../tenants';
import { ChatStreams } from './contract';
import { ChatNews, ChatRules, ChatsErase, ChatsService } from './chats/chats.service';
import { ChatsExportRepository } from './chats/chats-export.repository';
import { ChatsRepository } from './chats/chats.repository';
import { ChatTitler } from './chats/titles';
import { ChargeDayEntity, ChargeEntity } from './entities/charge.entity';
import { ChatEntity } from './entities/chat.entity';
import { RunChunkEntity, RunEntity } from './entities/run.entity';
import { Answers, AnswerStreams, AnswerWaits } from './http/answers';
import { ChatsController, TurnsController } from './http/chats.controller';
import { ChatController, ConversationsController } from './http/conversations.controller';
import { UiChatController } from './http/ui.controller';
import { UiChats } from './http/ui-chats';
import { AgentsController } from './agents/agents.controller';
import { AgentsOnline } from './agents/agents-online';
import { AgentsRepository } from './agents/agents.repository';
import { AgentChanges, AgentsService } from './agents/agents.service';
import { RoomAgentEntity } from './entities/room-agent.entity';
import { Completions } from './openai/completions';
import { OpenAiRules } from './openai/rules';
import { PresetModels } from './openai/models';
import { OpenAiController } from './openai/openai.controller';
import { Responses, StoredResponses } from './openai/responses';
import { ResponsesController } from './openai/responses.controller';
import { StatelessAnswers } from './openai/stateless';
import { Answerer, RunContext } from './runs/answerer';
import { OwnCallCharges } from './runs/call-charges';
import { PromptImages } from './runs/prompt-images';
import { ChargesRepository } from './runs/charges.repository';
import { ChunkWriter, LiveRuns, RunPublisher } from './runs/live-runs';
import { ModelCalls } from './runs/model-calls';
import { RunChunksRepository } from './runs/run-chunks.repository';
import { RunEnds, RunTurns, RunWorker } from './runs/run-worker';
import { RunsRepository } from './runs/runs.repository';
import { ChatEndpoint } from './socket/endpoint';
import { ChatGateway } from './socket/gateway';
import { Arrivals, ChatSessions } from './socket/sessions';
import { ChatBackstop } from './streams/backstop';
import { ChatHub } from './streams/chat-hub';
import { ChatStreamsService, RunSnapshots } from './streams/chat-streams.service';
import { FollowedRepository } from './streams/followed.repository';
import { RunInterrupter, RunStopper } from './turns/interrupts';
import { TokenBudget, RunRetrier, RoomTurns, TurnGate, TurnsService } from './turns/turns.service';

@Module({
  imports: [
    TypeOrmModule.forFeature([ChargeDayEntity, ChargeEntity, ChatEntity, RoomAgentEntity, RunEntity, RunChunkEntity]),
    RealtimeModule,
    SseModule,
    TenantsModule,
    RoomsModule,
    MessagesModule,
    ModelsModule,
  ],
  controllers: [
    AgentsController,
    ChatController,
    ChatsController,
    ConversationsController,
    OpenAiController,
    ResponsesController,
    TurnsController,
    UiChatController,
  ],
  providers: [
    AgentChanges,
    AgentsOnline,
    AgentsRepository,
    AgentsService,
    AnswerStreams,
    AnswerWaits,
    Answerer,
    Answers,
    Arrivals,
    TokenBudget,
    OwnCallCharges,
    ChargesRepository,
    ChatBackstop,
    ChatEndpoint,
    ChatGateway,
    ChatHub,
    ChatNews,
    ChatRules,
    ChatsErase,
    ChatSessions,
    ChatsExportRepository,
    ChatsRepository,
    ChatsService,
    ChunkWriter,
    Completions,
    FollowedRepository,
    RunInterrupter,
    LiveRuns,
    ModelCalls,
    OpenAiRules,
    PresetModels,
    RunRetrier,
    RoomTurns,
    PromptImages,
    RunChunksRepository,
    RunContext,
    RunEnds,
    RunPublisher,
    RunSnapshots,
    RunTurns,
    RunWorker,
    RunsRepository,
    RunStopper,
    Responses,
    StatelessAnswers,
    StoredResponses,
    ChatTitler,
    TurnGate,
    TurnsService,
    UiChats,
    { provide: ChatStreams, useClass: ChatStreamsService },
  ],
  exports: [AgentsOnline, ChatsService, OwnCallCharges, RoomTurns],
})
export class ChatsModule {}

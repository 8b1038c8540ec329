import { Global, Module } from '@nestjs/common';
import { AgentsOnline, ChatsModule, OwnCallCharges, RoomTurns } from './modules/chats';
import { DeliveryModule, MemberReceipts } from './modules/delivery';
import {
  AiTurns,
  AppendHooks,
  LogMessageFrames,
  MessagePreviews,
  MessagesModule,
  MessagesRoomLog,
} from './modules/messages';
import { CallCharges } from './modules/models';
import { OfflineJobs } from './modules/notifications';
import { ErasedUsers, RemovalModule } from './modules/removal';
import { AgentPresence, PresenceRepository, RoomPreviews, MemberPositions, RoomsModule } from './modules/rooms';
import {
  TenantCredentialVerifier,
  TenantCredentialWatch,
  TenantsModule,
  TicketsRepository,
  UsersService,
  WebhookRows,
  WebhookSettings,
} from './modules/tenants';
import { WebhookEndpoints, WebhookHooks, WebhooksModule, WebhooksRepository } from './modules/webhooks';
import { Authenticator, CredentialVerifier, CredentialWatch, Tickets, UserRefusals } from './platform/auth';
import { LastSeenStore, MessageFrames, Receipts, RoomLog, RoomPositions, SharedRooms } from './realtime';

/** Which class of an upper layer implements which port of a lower one. Global: the lower one cannot import the upper. */
@Global()
@Module({
  imports: [TenantsModule, RoomsModule, DeliveryModule, MessagesModule, ChatsModule, WebhooksModule, RemovalModule],
  providers: [
    // platform/auth
    { provide: CredentialVerifier, useExisting: TenantCredentialVerifier },
    { provide: CredentialWatch, useExisting: TenantCredentialWatch },
    { provide: Tickets, useExisting: TicketsRepository },
    { provide: UserRefusals, useExisting: ErasedUsers },
    Authenticator,
    // realtime
    { provide: LastSeenStore, useExisting: UsersService },
    { provide: RoomPositions, useExisting: MemberPositions },
    { provide: SharedRooms, useExisting: PresenceRepository },
    { provide: Receipts, useExisting: MemberReceipts },
    { provide: RoomLog, useExisting: MessagesRoomLog },
    { provide: MessageFrames, useExisting: LogMessageFrames },
    // tenants, rooms, models, messages, notifications
    { provide: WebhookSettings, useExisting: WebhookEndpoints },
    { provide: WebhookRows, useExisting: WebhooksRepository },
    { provide: AgentPresence, useExisting: AgentsOnline },
    { provide: RoomPreviews, useExisting: MessagePreviews },
    { provide: CallCharges, useExisting: OwnCallCharges },
    { provide: AiTurns, useExisting: RoomTurns },
    { provide: AppendHooks, useExisting: WebhookHooks },
    { provide: OfflineJobs, useExisting: WebhookHooks },
  ],
  exports: [
    Authenticator,
    CredentialVerifier,
    CredentialWatch,
    Tickets,
    UserRefusals,
    LastSeenStore,
    RoomPositions,
    SharedRooms,
    Receipts,
    RoomLog,
    MessageFrames,
    WebhookSettings,
    WebhookRows,
    AgentPresence,
    RoomPreviews,
    CallCharges,
    AiTurns,
    AppendHooks,
    OfflineJobs,
  ],
})
export class PortsModule {}

/**
 * The operator's look at the server: who is calling and what they may, what is to be done and what was done, which rooms and
 * users there are, what became of a message, and whether the server has the keys to what its database keeps sealed. It has no tables: what it shows it asks of the modules that have them.
 */
import { Module } from '@nestjs/common';
import { RealtimeModule } from '../../realtime';
import { DeliveryModule } from '../delivery';
import { MessagesModule } from '../messages';
import { ModelsModule } from '../models';
import { RoomsModule } from '../rooms';
import { TenantsModule } from '../tenants';
import { WebhooksModule } from '../webhooks';
import { AuditController } from './audit/audit.controller';
import { AuditService } from './audit/audit.service';
import { AdminConnectionsController } from './connections/connections.controller';
import { AdminConnectionsService, OpenConnections } from './connections/connections.service';
import { AdminMembers } from './console/members';
import { Looks } from './console/looks';
import { AdminRoomsController } from './console/rooms.controller';
import { AdminRoomsService } from './console/rooms.service';
import { UserFacts } from './console/user-facts';
import { AdminUsersController } from './console/users.controller';
import { AdminUsersService } from './console/users.service';
import { AdminJobsController } from './jobs/jobs.controller';
import { AdminJobsService } from './jobs/jobs.service';
import { KeyCheck } from './key-check';
import { SharedSecrets } from './shared-secrets';
import { TraceController } from './trace/trace.controller';
import { TraceConnections } from './trace/connections';
import { TraceService } from './trace/trace.service';
import { CallRules } from './whoami/call-rules';
import { WhoamiController } from './whoami/whoami.controller';
import { WhoamiService } from './whoami/whoami.service';

export { KeyCheck } from './key-check';
export { SharedSecrets } from './shared-secrets';

@Module({
  imports: [DeliveryModule, MessagesModule, ModelsModule, RealtimeModule, RoomsModule, TenantsModule, WebhooksModule],
  controllers: [
    AdminConnectionsController,
    AdminJobsController,
    AdminRoomsController,
    AdminUsersController,
    AuditController,
    TraceController,
    WhoamiController,
  ],
  providers: [
    AdminConnectionsService,
    AdminJobsService,
    AdminMembers,
    AdminRoomsService,
    AdminUsersService,
    AuditService,
    CallRules,
    KeyCheck,
    Looks,
    OpenConnections,
    SharedSecrets,
    TraceConnections,
    TraceService,
    UserFacts,
    WhoamiService,
  ],
  exports: [KeyCheck, SharedSecrets],
})
export class AdminModule {}

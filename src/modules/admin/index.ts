/**
 * The operator's look at the server: who is calling and what they may, what is to be done and what was done, and whether the
 * server has the keys to what its database keeps sealed. It has no tables: what it shows it asks of the modules that have them.
 */
import { Module } from '@nestjs/common';
import { RealtimeModule } from '../../realtime';
import { ModelsModule } from '../models';
import { TenantsModule } from '../tenants';
import { WebhooksModule } from '../webhooks';
import { AuditController } from './audit/audit.controller';
import { AuditService } from './audit/audit.service';
import { AdminConnectionsController } from './connections/connections.controller';
import { AdminConnectionsService } from './connections/connections.service';
import { AdminJobsController } from './jobs/jobs.controller';
import { AdminJobsService } from './jobs/jobs.service';
import { KeyCheck } from './key-check';
import { CallRules } from './whoami/call-rules';
import { WhoamiController } from './whoami/whoami.controller';
import { WhoamiService } from './whoami/whoami.service';

export { KeyCheck } from './key-check';

@Module({
  imports: [ModelsModule, RealtimeModule, TenantsModule, WebhooksModule],
  controllers: [AdminConnectionsController, AdminJobsController, AuditController, WhoamiController],
  providers: [AdminConnectionsService, AdminJobsService, AuditService, CallRules, KeyCheck, WhoamiService],
  exports: [KeyCheck],
})
export class AdminModule {}

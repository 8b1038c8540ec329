/**
 * What the operator answers for across all tenants: what was done, and whether the server has the keys to what its database
 * keeps sealed.
 */
import { Module } from '@nestjs/common';
import { ModelsModule } from '../models';
import { TenantsModule } from '../tenants';
import { WebhooksModule } from '../webhooks';
import { AuditController } from './audit/audit.controller';
import { AuditService } from './audit/audit.service';
import { KeyCheck } from './key-check';

export { KeyCheck } from './key-check';

@Module({
  imports: [ModelsModule, TenantsModule, WebhooksModule],
  controllers: [AuditController],
  providers: [AuditService, KeyCheck],
  exports: [KeyCheck],
})
export class AdminModule {}

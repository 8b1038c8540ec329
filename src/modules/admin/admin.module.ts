import { Module } from '@nestjs/common';
import { ModelsModule } from '../models';
import { TenantsModule } from '../tenants';
import { WebhooksModule } from '../webhooks';
import { KeyCheck } from './key-check';

@Module({
  imports: [ModelsModule, TenantsModule, WebhooksModule],
  providers: [KeyCheck],
  exports: [KeyCheck],
})
export class AdminModule {}

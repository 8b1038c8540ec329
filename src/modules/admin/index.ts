/** What the operator answers for across all tenants: whether the server has the keys to what its database keeps sealed. */
import { Module } from '@nestjs/common';
import { ModelsModule } from '../models';
import { TenantsModule } from '../tenants';
import { WebhooksModule } from '../webhooks';
import { KeyCheck } from './key-check';

export { KeyCheck } from './key-check';

@Module({
  imports: [ModelsModule, TenantsModule, WebhooksModule],
  providers: [KeyCheck],
  exports: [KeyCheck],
})
export class AdminModule {}

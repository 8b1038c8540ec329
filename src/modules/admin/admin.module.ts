import { Module } from '@nestjs/common';
import { ModelsModule } from '../models';
import { TenantsModule } from '../tenants';
import { KeyCheck } from './key-check';

@Module({
  imports: [ModelsModule, TenantsModule],
  providers: [KeyCheck],
  exports: [KeyCheck],
})
export class AdminModule {}

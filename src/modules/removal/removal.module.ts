import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '../tenants';
import { DeletionController } from './deletion/deletion.controller';
import { DeletionRunner } from './deletion/deletion.job';
import { DeletionService } from './deletion/deletion.service';
import { DeletionsRepository } from './deletion/deletions.repository';
import { TenantRowsRepository } from './deletion/rows.repository';
import { TenantDeleter } from './deletion/tenant-deleter';
import { TenantDeletionEntity } from './entities/tenant-deletion.entity';

@Module({
  imports: [TypeOrmModule.forFeature([TenantDeletionEntity]), TenantsModule],
  controllers: [DeletionController],
  providers: [DeletionRunner, DeletionService, DeletionsRepository, TenantDeleter, TenantRowsRepository],
})
export class RemovalModule {}

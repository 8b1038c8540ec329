import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EraseSteps } from '../../platform/tenant-data';
import { RealtimeModule } from '../../realtime';
import { TenantsModule } from '../tenants';
import { DeletionController } from './deletion/deletion.controller';
import { DeletionRunner } from './deletion/deletion.job';
import { DeletionService } from './deletion/deletion.service';
import { DeletionsRepository } from './deletion/deletions.repository';
import { TenantRowsRepository } from './deletion/rows.repository';
import { TenantDeleter } from './deletion/tenant-deleter';
import { ErasureEntity } from './entities/erasure.entity';
import { TenantDeletionEntity } from './entities/tenant-deletion.entity';
import { EraseController } from './erase/erase.controller';
import { EraseRunner } from './erase/erase.job';
import { EraseService } from './erase/erase.service';
import { ErasedUsers } from './erase/erased-users';
import { Eraser } from './erase/eraser';
import { ErasureFile } from './erase/erasure-file';
import { ErasuresRepository } from './erase/erasures.repository';
import { LostErasures } from './erase/lost-erasures';

const DELETION = [DeletionRunner, DeletionService, DeletionsRepository, TenantDeleter, TenantRowsRepository];
const ERASE = [
  EraseRunner,
  EraseService,
  EraseSteps,
  ErasedUsers,
  Eraser,
  ErasureFile,
  ErasuresRepository,
  LostErasures,
];

@Module({
  imports: [TypeOrmModule.forFeature([ErasureEntity, TenantDeletionEntity]), RealtimeModule, TenantsModule],
  controllers: [DeletionController, EraseController],
  providers: [...DELETION, ...ERASE],
  exports: [ErasedUsers],
})
export class RemovalModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EraseSteps } from '../../platform/tenant-data';
import { RealtimeModule } from '../../realtime';
import { TenantsModule } from '../tenants';
import { ErasureEntity } from './entities/erasure.entity';
import { EraseController } from './erase/erase.controller';
import { EraseRunner } from './erase/erase.job';
import { EraseService } from './erase/erase.service';
import { ErasedUsers } from './erase/erased-users';
import { Eraser } from './erase/eraser';
import { ErasureFile } from './erase/erasure-file';
import { ErasuresRepository } from './erase/erasures.repository';
import { LostErasures } from './erase/lost-erasures';

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
  imports: [TypeOrmModule.forFeature([ErasureEntity]), RealtimeModule, TenantsModule],
  controllers: [EraseController],
  providers: [...ERASE],
  exports: [ErasedUsers],
})
export class RemovalModule {}

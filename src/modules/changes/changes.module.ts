import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { ChangesController } from './changes.controller';
import { ChangesRepository } from './changes.repository';
import { ChangesService } from './changes.service';
import { CollectedTenants } from './collected-tenants';
import { Collector } from './collector.job';
import { TenantFeedEntity, TenantFeedEntryEntity, TenantFeedRoomEntity } from './entities/tenant-feed.entity';

@Module({
  imports: [TypeOrmModule.forFeature([TenantFeedEntity, TenantFeedEntryEntity, TenantFeedRoomEntity]), RealtimeModule],
  controllers: [ChangesController],
  providers: [ChangesRepository, ChangesService, CollectedTenants, Collector],
})
export class ChangesModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '../tenants';
import {
  UsageChatEntity,
  UsageDayEntity,
  UsageModelEntity,
  UsageRoomEntity,
  UsageStateEntity,
  UsageUserEntity,
} from './entities/usage.entity';
import { UsageCounter, UsagePasses } from './usage-counter';
import { UsageExportRepository } from './usage-export.repository';
import { UsageFlush } from './usage-flush';
import { UsageFlushRepository } from './usage-flush.repository';
import { UsageController } from './usage.controller';
import { UsageRepository } from './usage.repository';
import { UsageService } from './usage.service';

@Module({
  imports: [
    TypeOrmModule.forFeature([
      UsageDayEntity,
      UsageUserEntity,
      UsageChatEntity,
      UsageModelEntity,
      UsageRoomEntity,
      UsageStateEntity,
    ]),
    TenantsModule,
  ],
  controllers: [UsageController],
  providers: [
    UsageRepository,
    UsageFlushRepository,
    UsageExportRepository,
    UsagePasses,
    UsageCounter,
    UsageFlush,
    UsageService,
  ],
})
export class UsageModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SseModule } from '../../platform/http';
import { TenantsModule } from '../tenants';
import { Counts } from './counts';
import { ServerMinuteEntity, StatsMinuteEntity } from './entities/stats-minute.entity';
import { StatsRepository } from './stats.repository';
import { Levels } from './levels';
import { Minutes } from './minutes';
import { Peers } from './peers';
import { Ring } from './ring';
import { LoopDelay, SampledNode, Sampler } from './sampler';
import { StatsController } from './stats.controller';
import { StatsService } from './stats.service';
import { StatsStreams } from './streams';

@Module({
  imports: [TypeOrmModule.forFeature([StatsMinuteEntity, ServerMinuteEntity]), SseModule, TenantsModule],
  controllers: [StatsController],
  providers: [
    Counts,
    StatsRepository,
    Levels,
    LoopDelay,
    Minutes,
    Peers,
    Ring,
    SampledNode,
    Sampler,
    StatsService,
    StatsStreams,
  ],
})
export class StatsModule {}

import { Module } from '@nestjs/common';
import { JobsGauge } from './jobs-gauge';

@Module({ providers: [JobsGauge] })
export class JobsModule {}

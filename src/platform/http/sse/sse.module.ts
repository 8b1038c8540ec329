import { Module } from '@nestjs/common';
import { SseStreams } from './sse-streams';

@Module({ providers: [SseStreams], exports: [SseStreams] })
export class SseModule {}

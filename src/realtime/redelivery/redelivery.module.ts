import { Module } from '@nestjs/common';
import { FeedModule } from '../feed';
import { Attempts, RedeliveryTurns, Sender } from './attempts';
import { Redelivery, RedeliveryHints } from './redelivery';

@Module({
  imports: [FeedModule],
  providers: [RedeliveryTurns, Sender, Attempts, RedeliveryHints, Redelivery],
  exports: [Redelivery],
})
export class RedeliveryModule {}

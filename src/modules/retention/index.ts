/**
 * Retention: messages go when their days are over, unless a legal hold keeps them (docs/adr/0032).
 *
 * Owns no table. Invariants: (1) what lies before a room's `first_seq` does not exist for anybody, from the commit that moves
 * it; that its rows go later changes nothing that can be seen. (2) A room is locked for that move only, one row and one event.
 * (3) `first_seq` is moved past a message only if it is older than the room's days (its own, else the tenant's) by the
 * database's clock, the room is not held, and neither it nor a message before it is a held user's. (4) A hold that is committed
 * wins over a move that is not: both take the tenant's row. (5) What is edited or deleted under a hold is copied first, in that
 * transaction.
 *
 * Concurrency: one job of a tenant goes through its rooms, hour by hour, in small pieces with rests between them; each piece is
 * a transaction that decides by what it finds, so a pass may be cut short anywhere, begun anew, or run twice.
 */
import { Module } from '@nestjs/common';
import { RealtimeModule } from '../../realtime';
import { TenantsModule } from '../tenants';
import { RetentionController } from './retention.controller';
import { RetentionRunner } from './retention.job';
import { RetentionService } from './retention.service';
import { Trimming } from './trimming';

@Module({
  imports: [RealtimeModule, TenantsModule],
  controllers: [RetentionController],
  providers: [RetentionRunner, RetentionService, Trimming],
})
export class RetentionModule {}

import type { Provider } from '@nestjs/common';
import { Attempts } from './attempts';
import { RedeliveryHints } from './hints';
import { Redelivery } from './redelivery';
import { RedeliveryTurns, Sender } from './sender';

/** For the realtime module. */
export const REDELIVERY_PROVIDERS: Provider[] = [RedeliveryTurns, Sender, Attempts, RedeliveryHints, Redelivery];

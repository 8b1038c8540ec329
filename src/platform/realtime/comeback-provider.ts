import type { Provider } from '@nestjs/common';
import { Clock } from '../../common/clock';
import { Lifecycle, StopStage } from '../lifecycle';
import { Metrics } from '../metrics';
import { ComebackGate } from './comeback-gate';
import { SystemLoopTime } from './loop-time';

/** The one gate of this process. For the realtime module. */
export const COMEBACK_PROVIDER: Provider = {
  provide: ComebackGate,
  useFactory: (clock: Clock, lifecycle: Lifecycle, metrics: Metrics): ComebackGate => {
    const gate = new ComebackGate(clock, new SystemLoopTime());
    metrics.collect('chatapi_comeback_waiting', () => [{ labels: {}, value: gate.waiting }]);
    lifecycle.onStop(StopStage.workers, 'comeback', () => gate.stop());
    return gate;
  },
  inject: [Clock, Lifecycle, Metrics],
};

import type { Provider } from '@nestjs/common';
import { Clock } from '../../common/clock';
import { Bus } from '../cluster';
import { Lifecycle, StopStage } from '../lifecycle';
import { Metrics } from '../metrics';
import { ComebackGate } from './comeback-gate';
import { ROOM_HINTS } from './feed';
import { SystemLoopTime } from './loop-time';

/** The one gate of this process. For the realtime module. */
export const COMEBACK_PROVIDER: Provider = {
  provide: ComebackGate,
  useFactory: (clock: Clock, lifecycle: Lifecycle, metrics: Metrics, bus: Bus): ComebackGate => {
    const gate = new ComebackGate(clock, new SystemLoopTime());
    const unsubscribe = bus.subscribe(ROOM_HINTS, () => gate.noteLive());
    metrics.collect('chatapi_comeback_waiting', () => [{ labels: {}, value: gate.waiting }]);
    lifecycle.onStop(StopStage.workers, 'comeback', () => {
      unsubscribe();
      gate.stop();
    });
    return gate;
  },
  inject: [Clock, Lifecycle, Metrics, Bus],
};

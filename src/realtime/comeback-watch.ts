import { Injectable } from '@nestjs/common';
import { Bus, type Unsubscribe } from '../platform/cluster';
import { OnStop, StopStage } from '../platform/lifecycle';
import { Gauge } from '../platform/metrics';
import { ComebackGate } from './transport/comeback-gate';
import { ROOM_HINTS } from './feed';

/** Tells the gate of this process what is live, and ends it with the server. */
@Injectable()
export class ComebackWatch {
  private readonly unsubscribe: Unsubscribe;

  constructor(
    private readonly gate: ComebackGate,
    bus: Bus,
  ) {
    this.unsubscribe = bus.subscribe(ROOM_HINTS, () => gate.noteLive());
  }

  @Gauge('chatapi_comeback_waiting')
  waiting(): number {
    return this.gate.waiting;
  }

  @OnStop(StopStage.workers)
  stop(): void {
    this.unsubscribe();
    this.gate.stop();
  }
}

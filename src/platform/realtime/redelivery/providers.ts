import { Injectable, type OnModuleInit, type Provider } from '@nestjs/common';
import { Clock } from '../../../common/clock';
import { SocketConfig } from '../../../config';
import { Bus } from '../../cluster';
import { every, Lifecycle, StopStage } from '../../lifecycle';
import { Log } from '../../logging';
import { Metrics } from '../../metrics';
import { Audience, ConnectionHandlers, Deliveries, MessageFrames, Receipts } from '../contract';
import { SOCKET_PATH } from '../paths';
import { Attempts } from './attempts';
import { RedeliveryHints } from './hints';
import { Redelivery } from './redelivery';
import { Sender } from './sender';
import { Turns } from '../turns';

/** Reads and writes of redelivery at the same time. */
const AT_ONCE = 4;

/** The timer, the connections and the hints of redelivery, from start to stop. */
@Injectable()
export class RedeliveryStart implements OnModuleInit {
  constructor(
    private readonly redelivery: Redelivery,
    private readonly connections: ConnectionHandlers,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    const unlisten = this.redelivery.listen();
    this.connections.add(SOCKET_PATH, { opened: (connection) => this.redelivery.opened(connection) });
    const timer = every(this.redelivery.tickMs, 'redelivery', () => this.redelivery.tick(), this.log);
    this.lifecycle.onStop(StopStage.workers, 'redelivery', async () => {
      unlisten();
      await timer.stop();
    });
  }
}

interface Ports {
  readonly deliveries: Deliveries;
  readonly audience: Audience;
  readonly receipts: Receipts;
  readonly messages: MessageFrames;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The parts of one node's redelivery, put together. */
export function redeliveryOf(ports: Ports, waitMs: number): Redelivery {
  const { deliveries, audience, receipts, messages, bus, clock, metrics, log } = ports;
  const turns = new Turns(AT_ONCE);
  const sender = new Sender(messages, audience, turns, metrics);
  const attempts = new Attempts(receipts, sender, turns, clock, log);
  return new Redelivery({ deliveries, audience, attempts, hints: new RedeliveryHints(bus), clock }, waitMs);
}

/** Redelivery. It needs the feed (Audience, Deliveries) and what the modules implement of its contract. */
export const REDELIVERY_PROVIDERS: Provider[] = [
  {
    provide: Redelivery,
    useFactory: (
      deliveries: Deliveries,
      audience: Audience,
      receipts: Receipts,
      messages: MessageFrames,
      bus: Bus,
      clock: Clock,
      metrics: Metrics,
      log: Log,
      config: SocketConfig,
    ) => redeliveryOf({ deliveries, audience, receipts, messages, bus, clock, metrics, log }, config.ackTimeoutMs),
    inject: [Deliveries, Audience, Receipts, MessageFrames, Bus, Clock, Metrics, Log, SocketConfig],
  },
  RedeliveryStart,
];

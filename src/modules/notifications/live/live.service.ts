import { Injectable, type OnModuleInit } from '@nestjs/common';
import { every, Lifecycle, StopStage } from '../../../platform/lifecycle';
import { Log } from '../../../platform/logging';
import { ConnectionHandlers, SOCKET_PATH } from '../../../platform/realtime';
import { DeliveriesRepository } from './deliveries.repository';
import { NotificationLinks } from './links';

const TICK_MS = 500;
const POLL_MS = 10_000;
const EXPIRY_MS = 10 * 60_000;
/** Contract §3: after so many days a notification that nobody took is a dead letter. */
const EXPIRY_DAYS = 30;

/** Hears of this node's connections, and owns the timers of notifications. */
@Injectable()
export class NotificationLive implements OnModuleInit {
  constructor(
    private readonly links: NotificationLinks,
    private readonly deliveries: DeliveriesRepository,
    private readonly connections: ConnectionHandlers,
    private readonly lifecycle: Lifecycle,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    const { links, log } = this;
    this.connections.add(SOCKET_PATH, { opened: (connection) => links.opened(connection) });
    const unsubscribe = links.listen();
    const timers = [
      every(TICK_MS, 'notifications', () => links.tick(), log),
      every(POLL_MS, 'notification poll', () => links.poll(), log),
      every(EXPIRY_MS, 'notification expiry', () => this.expire(), log),
    ];
    this.lifecycle.onStop(StopStage.workers, 'notifications', async () => {
      unsubscribe();
      await Promise.all(timers.map((timer) => timer.stop()));
    });
  }

  /** Makes dead letters of all that has waited for too long; returns how many. */
  async expire(): Promise<number> {
    let total = 0;
    for (let n = 1; n > 0; total += n) n = await this.deliveries.expire(EXPIRY_DAYS);
    return total;
  }
}

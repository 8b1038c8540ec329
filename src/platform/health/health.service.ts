import { Injectable } from '@nestjs/common';
import { VERSION } from '../../common/version';
import { Bus } from '../cluster';
import { Availability, InstanceRepository, NodeClock } from '../database';
import { Lifecycle } from '../lifecycle';
import { Metrics } from '../metrics';

/** How long the outcome of a write is good for: the route is open to every client. */
const CACHE_MS = 1000;

export interface HealthReport {
  readonly status: 'ok' | 'error';
  readonly uptime: string;
  readonly version: string;
  readonly db_writable: boolean;
  readonly clock_offset_ms?: number;
  readonly bus?: 'live' | 'down';
}

/** Tells whether the server can do its work: whether the database takes a real write. */
@Injectable()
export class HealthService {
  private readonly started = performance.now();
  private last: { at: number; writable: boolean } | undefined;
  private asking: Promise<boolean> | undefined;

  constructor(
    private readonly instance: InstanceRepository,
    private readonly availability: Availability,
    private readonly lifecycle: Lifecycle,
    private readonly clock: NodeClock,
    private readonly bus: Bus,
    metrics: Metrics,
  ) {
    metrics.collect('chatapi_database_up', () => [{ labels: {}, value: availability.up ? 1 : 0 }]);
    metrics.collect('chatapi_database_writable', () => [{ labels: {}, value: availability.writable ? 1 : 0 }]);
  }

  async report(): Promise<HealthReport> {
    // On a full disk the small write may still find room, where a message finds none.
    const writable = (await this.writable()) && this.availability.writable;
    const { offMs } = this.clock;
    return {
      status: writable ? 'ok' : 'error',
      uptime: uptimeText(performance.now() - this.started),
      version: VERSION,
      db_writable: writable,
      ...(offMs === undefined ? {} : { clock_offset_ms: offMs }),
      // Without it everything works, later: all servers would leave their load balancer together.
      ...(this.bus.isShared ? { bus: this.bus.state } : {}),
    };
  }

  /** Whether requests should be sent here: started, not stopping, database there. */
  get ready(): boolean {
    return this.lifecycle.ready && !this.lifecycle.stopping && this.availability.up;
  }

  /** However many ask, one write is under way: while the database hangs, they share its deadline. */
  private async writable(): Promise<boolean> {
    if (this.last && performance.now() - this.last.at <= CACHE_MS) return this.last.writable;
    this.asking ??= this.write().finally(() => (this.asking = undefined));
    const writable = await this.asking;
    this.last = { at: performance.now(), writable };
    return writable;
  }

  private async write(): Promise<boolean> {
    try {
      await this.instance.writeCheck();
      return true;
    } catch {
      return false;
    }
  }
}

/** `2h30m45s`, `5m0s`, `45s`: hours are not limited to 24. */
function uptimeText(ms: number): string {
  const total = Math.floor(ms / 1000);
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = `${total % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

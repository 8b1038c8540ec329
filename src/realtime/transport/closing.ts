import { Injectable } from '@nestjs/common';
import { SocketConfig } from '../../config';
import { Lifecycle, OnStop, StopStage } from '../../platform/lifecycle';
import { CLOSE_GRACE_MS, CloseCode } from './close-codes';
import { Connections } from './connections';
import { inSlices } from './slices';
import { toWire } from './wire';

/** The goodbyes take this long at most, in so many slices. */
const GOODBYE_MS = 1000;
const SLICES = 100;
const SMALLEST_SLICE = 50;
/** Few clients need no long spread: so much per connection. */
const SPREAD_MS_PER_CONNECTION = 5;

/** Says goodbye to all connections when the server stops: `server.shutdown`, then 1012, spread over time. */
@Injectable()
export class Farewell {
  constructor(
    private readonly connections: Connections,
    private readonly config: SocketConfig,
    private readonly lifecycle: Lifecycle,
  ) {}

  /** New sockets are refused since the stop began; those whose checks are under way are refused when these end. */
  @OnStop(StopStage.sockets, GOODBYE_MS + 3 * CLOSE_GRACE_MS)
  async sayGoodbye(): Promise<void> {
    const all = this.connections.all();
    const spread = Math.min(this.config.shutdownSpreadMs, all.length * SPREAD_MS_PER_CONNECTION);
    const slice = Math.max(SMALLEST_SLICE, Math.ceil(all.length / SLICES));
    const goodbyeMs = Math.min(GOODBYE_MS, this.lifecycle.stageLeftMs / 4);
    await inSlices(all, slice, goodbyeMs / SLICES, (connection) => {
      connection.send(toWire(connection.door.shutdown(Math.round(Math.random() * spread))));
      connection.close(CloseCode.restart, 'The server restarts; reconnect');
    });
    await this.gone(Math.min(CLOSE_GRACE_MS + CLOSE_GRACE_MS / 2, this.lifecycle.stageLeftMs));
    for (const connection of this.connections.all()) connection.terminate();
  }

  /** Resolves when no connection is left, or after `ms`. */
  private async gone(ms: number): Promise<void> {
    const left = this.connections
      .all()
      .map((connection) => new Promise<void>((resolve) => connection.onClose(() => resolve())));
    let late: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => (late = setTimeout(resolve, ms)));
    await Promise.race([Promise.all(left), over]);
    clearTimeout(late);
  }
}

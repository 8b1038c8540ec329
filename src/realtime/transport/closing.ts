import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type AppError, ERROR_CATALOGUE, forbidden, unauthenticated } from '../../common/errors';
import { SocketConfig } from '../../config';
import { NodeRegistry } from '../../platform/cluster';
import { Epoch } from '../../platform/database';
import { type CredentialChanges, CredentialWatch, userErased, UserRefusals } from '../../platform/auth';
import { SseStreams } from '../../platform/http';
import { Every, Lifecycle, OnStop, StopStage } from '../../platform/lifecycle';
import { describeError, Log } from '../../platform/logging';
import { CLOSE_GRACE_MS, CloseCode } from './connection';
import { Connections } from './connections';
import type { SocketConnection } from './socket-connection';
import { toWire } from './wire';

/** The goodbyes take this long at most, in so many slices. */
const GOODBYE_MS = 1000;
const SLICES = 100;
const SMALLEST_SLICE = 50;
/** What a server is asked to take in: 200 connections a second, which leaves room for those that it has (docs/adr/0020). */
const MS_PER_CONNECTION = 5;

/**
 * Over how many milliseconds the connections of a stopping server come back. Few need no long spread.
 * @param otherNodes that stay; each is asked for at most 200 connections a second, however long that takes. 0: all come
 * back to the server's successor, which lets them in as fast as it can
 * @param mostMs what the settings say
 */
export function reconnectSpreadMs(connections: number, otherNodes: number, mostMs: number): number {
  const spread = Math.min(mostMs, connections * MS_PER_CONNECTION);
  return otherNodes === 0 ? spread : Math.max(spread, Math.ceil((connections * MS_PER_CONNECTION) / otherNodes));
}

/** Says goodbye to all connections when the server stops: `server.shutdown`, then 1012, spread over time. */
@Injectable()
export class ShutdownNotice {
  constructor(
    private readonly connections: Connections,
    private readonly config: SocketConfig,
    private readonly lifecycle: Lifecycle,
    private readonly nodes: NodeRegistry,
  ) {}

  /** New sockets are refused since the stop began; those whose checks are under way are refused when these end. */
  @OnStop(StopStage.sockets, GOODBYE_MS + 3 * CLOSE_GRACE_MS)
  async sayGoodbye(): Promise<void> {
    const goodbyeMs = Math.min(GOODBYE_MS, this.lifecycle.stageLeftMs / 4);
    const all = this.connections.all();
    const spread = reconnectSpreadMs(all.length, await this.otherNodes(), this.config.shutdownSpreadMs);
    await sendAway(all, spread, goodbyeMs, 'The server restarts; reconnect');
    await this.gone(Math.min(CLOSE_GRACE_MS + CLOSE_GRACE_MS / 2, this.lifecycle.stageLeftMs));
    for (const connection of this.connections.all()) connection.terminate();
  }

  /** 0 where it cannot be found out. */
  private async otherNodes(): Promise<number> {
    const nodes = await this.nodes.nodes().catch(() => []);
    return nodes.filter(({ nodeId }) => nodeId !== this.nodes.self.nodeId).length;
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

/** `server.shutdown`, then 1012, to each: they come back, spread over `spreadMs`. */
function sendAway(
  connections: readonly SocketConnection[],
  spreadMs: number,
  goodbyeMs: number,
  reason: string,
): Promise<void> {
  const slice = Math.max(SMALLEST_SLICE, Math.ceil(connections.length / SLICES));
  return inSlices(connections, slice, goodbyeMs / SLICES, (connection) => {
    connection.sendFrame(toWire(connection.endpoint.shutdown(Math.round(Math.random() * spreadMs))));
    connection.close(CloseCode.restart, reason);
  });
}

/**
 * Sends all connections away when the log has become another one: they come back, and their `hello` tells the new epoch.
 * A connection whose checks are under way then is told the new one at once.
 */
@Injectable()
export class EpochNotice {
  private leaving: Promise<void> | undefined;

  constructor(
    private readonly connections: Connections,
    private readonly config: SocketConfig,
    epoch: Epoch,
  ) {
    epoch.onChange(() => this.sayGoodbye());
  }

  @OnStop(StopStage.sockets)
  async settled(): Promise<void> {
    await this.leaving;
  }

  private sayGoodbye(): void {
    const all = this.connections.all();
    // All nodes send theirs away at the same time, and get as many back.
    const spread = reconnectSpreadMs(all.length, 0, this.config.shutdownSpreadMs);
    this.leaving = sendAway(all, spread, GOODBYE_MS, 'The database has failed over; reconnect');
  }
}

const INTERVAL_MS = 1000;
const ENDED_AT_ONCE = 200;
const BETWEEN_SLICES_MS = 5;

/**
 * Ends connections and answers of server-sent events whose key was revoked, whose user was erased, or whose tenant was suspended or deleted, and
 * puts changed limits and settings in force on connections that are open. A connection ends with the close code that its upgrade would be refused with, so that a
 * client need not know which came first. Changes are read every second, and at once after one that this node made. While the
 * database is away connections stay; what changed meanwhile is read when it is back.
 */
@Injectable()
export class Revocations {
  private running: Promise<void> | undefined;
  private isWanted = false;

  constructor(
    private readonly connections: Connections,
    private readonly sse: SseStreams,
    private readonly watch: CredentialWatch,
    private readonly refusals: UserRefusals,
    log: Log,
  ) {
    const look = (): void => {
      this.look().catch((error: unknown) =>
        log.debug({ error: describeError(error) }, 'revoked credentials are read again in a second'),
      );
    };
    watch.onOwnChange(look);
    refusals.onRefused(look);
  }

  /** What a change of this node's own has begun. */
  @OnStop(StopStage.workers)
  async settled(): Promise<void> {
    await this.running;
  }

  /** Reads what changed and acts on it. A call during another one makes that one read once more. */
  @Every(INTERVAL_MS, 'revoked credentials')
  look(): Promise<void> {
    this.isWanted = true;
    return (this.running ??= this.run().finally(() => (this.running = undefined)));
  }

  private async run(): Promise<void> {
    while (this.isWanted) {
      this.isWanted = false;
      for (const tenantId of this.refusals.recent()) await this.endErased(tenantId);
      const tenants = this.present();
      if (tenants.length > 0) await this.apply(await this.watch.readChanges(tenants));
    }
  }

  private present(): readonly string[] {
    const { tenants } = this.sse;
    if (tenants.length === 0) return this.connections.tenants;
    return [...new Set([...this.connections.tenants, ...tenants])];
  }

  private async apply({ keys, tenants, gone }: CredentialChanges): Promise<void> {
    for (const { tenantId, keyId, revoked, endsAtMs } of keys) {
      const holders = [...this.connections.ofTenant(tenantId)].filter(({ caller }) => caller.keyId === keyId);
      if (revoked) {
        this.sse.endOf(tenantId, keyId);
        await this.end(holders, unauthenticated('The API key of this connection was revoked'));
      } else {
        if (endsAtMs !== undefined) this.sse.endAt(tenantId, keyId, endsAtMs);
        for (const { caller } of holders) caller.endsAtMs = earlier(caller.endsAtMs, endsAtMs);
      }
    }
    for (const policy of tenants) {
      const all = this.connections.ofTenant(policy.tenantId);
      if (policy.status === 'suspended') {
        this.sse.endOf(policy.tenantId);
        await this.end([...all], forbidden('This tenant is suspended'));
      } else for (const { caller } of all) caller.renew(policy);
    }
    for (const tenantId of gone) {
      this.sse.endOf(tenantId);
      await this.end([...this.connections.ofTenant(tenantId)], unauthenticated('This tenant was deleted'));
    }
  }

  private endErased(tenantId: string): Promise<void> {
    const isErased = (userId: string): boolean => this.refusals.isRefused(tenantId, userId);
    this.sse.endOfUsers(tenantId, isErased);
    return this.end(
      [...this.connections.ofTenant(tenantId)].filter(({ userId }) => isErased(userId)),
      userErased(),
    );
  }

  private end(connections: readonly SocketConnection[], error: AppError): Promise<void> {
    return inSlices(connections, ENDED_AT_ONCE, BETWEEN_SLICES_MS, (connection) =>
      connection.dismiss(error, ERROR_CATALOGUE[error.code].closeCode),
    );
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

/** Works through a list without holding up the others: so many at once, then a pause. */
async function inSlices<T>(items: readonly T[], size: number, ms: number, work: (item: T) => void): Promise<void> {
  for (let at = 0; at < items.length; at += size) {
    if (at > 0) await pause(ms);
    for (const item of items.slice(at, at + size)) work(item);
  }
}

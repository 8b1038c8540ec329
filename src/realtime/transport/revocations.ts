import { Injectable } from '@nestjs/common';
import { type AppError, ERROR_CATALOGUE, forbidden, unauthenticated } from '../../common/errors';
import { type CredentialChanges, CredentialWatch } from '../../platform/auth';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { describeError, Log } from '../../platform/logging';
import { Connections } from './connections';
import { dismiss } from './dismiss';
import { inSlices } from './slices';
import type { SocketConnection } from './socket-connection';

const INTERVAL_MS = 1000;
const SLICE = 200;
const BETWEEN_SLICES_MS = 5;

/**
 * Ends connections whose key was revoked or whose tenant was suspended or deleted, and puts changed limits and settings
 * in force on those that are open. A connection ends with the close code that its upgrade would be refused with, so that a
 * client need not know which came first. Changes are read every second, and at once after one that this node made. While the
 * database is away connections stay; what changed meanwhile is read when it is back.
 */
@Injectable()
export class Revocations {
  private running: Promise<void> | undefined;
  private isWanted = false;

  constructor(
    private readonly connections: Connections,
    private readonly watch: CredentialWatch,
    log: Log,
  ) {
    watch.onOwnChange(() => {
      this.look().catch((error: unknown) =>
        log.debug({ error: describeError(error) }, 'revoked credentials are read again in a second'),
      );
    });
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
      if (this.connections.size > 0) await this.apply(await this.watch.read(this.connections.tenants));
    }
  }

  private async apply({ keys, tenants, gone }: CredentialChanges): Promise<void> {
    for (const { tenantId, keyId, revoked, endsAtMs } of keys) {
      const holders = [...this.connections.ofTenant(tenantId)].filter(({ caller }) => caller.keyId === keyId);
      if (revoked) await this.end(holders, unauthenticated('The API key of this connection was revoked'));
      else for (const { caller } of holders) caller.endsAtMs = earlier(caller.endsAtMs, endsAtMs);
    }
    for (const policy of tenants) {
      const all = this.connections.ofTenant(policy.tenantId);
      if (policy.status === 'suspended') await this.end([...all], forbidden('This tenant is suspended'));
      else for (const { caller } of all) caller.renew(policy);
    }
    for (const tenantId of gone)
      await this.end([...this.connections.ofTenant(tenantId)], unauthenticated('This tenant was deleted'));
  }

  private end(connections: readonly SocketConnection[], error: AppError): Promise<void> {
    return inSlices(connections, SLICE, BETWEEN_SLICES_MS, (connection) =>
      dismiss(connection, error, ERROR_CATALOGUE[error.code].closeCode),
    );
  }
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

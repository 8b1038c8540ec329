import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { presenceKey } from './leases';
import { LocalPresence, type UserRef } from './local-presence';

/** When users were last connected. The tenants module implements it. */
export abstract class LastSeenStore {
  /** Stores them all in one statement; each counts as seen `agoMs` before now, and never moves backwards. */
  abstract write(
    seen: readonly { readonly tenantId: string; readonly userId: string; readonly agoMs: number }[],
  ): Promise<void>;
}

const FLUSH_MS = 1000;
/** Users per statement. */
const BATCH = 5000;

interface Seen extends UserRef {
  readonly at: number;
}

/** Collects when users' last connections closed and writes them together; what fails is kept for the next time. */
@Injectable()
export class LastSeen {
  private seen = new Map<string, Seen>();

  constructor(
    private readonly store: LastSeenStore,
    private readonly clock: Clock,
    local: LocalPresence,
  ) {
    local.onLastClosed((user) => this.note(user));
  }

  note({ tenantId, userId }: UserRef): void {
    this.seen.set(presenceKey(tenantId, userId), { tenantId, userId, at: this.clock.monotonicMs() });
  }

  /** Once more at the stop: the sockets have closed two stages before, and their users' last moments are in it. */
  @Every(FLUSH_MS, 'last seen')
  @OnStop(StopStage.workers)
  async flush(): Promise<void> {
    while (this.seen.size > 0) {
      const batch = [...this.seen].slice(0, BATCH);
      const now = this.clock.monotonicMs();
      await this.store.write(
        batch.map(([, { tenantId, userId, at }]) => ({ tenantId, userId, agoMs: Math.round(now - at) })),
      );
      // A user that was noted again meanwhile stays.
      for (const [key, written] of batch) if (this.seen.get(key) === written) this.seen.delete(key);
    }
  }
}

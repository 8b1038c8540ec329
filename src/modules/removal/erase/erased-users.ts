import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { unavailable } from '../../../common/errors';
import { Clock } from '../../../common/time';
import type { UserRefusals } from '../../../platform/auth';
import { Every } from '../../../platform/lifecycle';
import { Secrets } from '../../../platform/secrets';
import { ErasuresRepository, REFUSED_HOURS, type RefusalRow } from './erasures.repository';

const REFRESH_MS = 1000;
const FORGET_MS = 10 * 60_000;
/** Longer than any transaction that requests an erase: it is seen although it commits after later ones. */
const OVERLAP_SECONDS = 30;
const HOUR_MS = 3_600_000;

/** Until when somebody is refused, in milliseconds since 1970, and since when this node knows. */
interface Refusal {
  until: number;
  readonly seenAt: number;
}

/** Those of one tenant: by the name of the key, then by the hash that it makes, base64. */
type OfTenant = Map<string, Map<string, Refusal>>;

/**
 * Which users are refused because they were erased, in memory: every call asks. Known as keyed hashes alone, so that nothing
 * says who they were. What another node was asked is in force here within 2 s, one's own at once.
 */
@Injectable()
export class ErasedUsers implements UserRefusals, OnApplicationBootstrap {
  private readonly byTenant = new Map<string, OfTenant>();
  private readonly handlers: (() => void)[] = [];
  private isLoaded = false;
  private seenUntil: Date | undefined;

  constructor(
    private readonly erasures: ErasuresRepository,
    private readonly secrets: Secrets,
    private readonly clock: Clock,
  ) {}

  /** Before the first call is taken. What cannot be read now the timer reads. */
  async onApplicationBootstrap(): Promise<void> {
    await this.refresh().catch(() => undefined);
  }

  isRefused(tenantId: string, userId: string): boolean {
    if (!this.isLoaded) throw unavailable('The server is starting');
    const keys = this.byTenant.get(tenantId);
    if (keys === undefined) return false;
    for (const [keyId, refusals] of keys) {
      const mac = this.secrets.personMac(tenantId, userId, keyId)?.toString('base64') ?? '';
      if ((refusals.get(mac)?.until ?? 0) > this.clock.wallMs()) return true;
    }
    return false;
  }

  recent(): readonly string[] {
    const since = this.clock.wallMs() - OVERLAP_SECONDS * 1000;
    return [...this.byTenant]
      .filter(([, keys]) => [...keys.values()].some((all) => [...all.values()].some(({ seenAt }) => seenAt > since)))
      .map(([tenantId]) => tenantId);
  }

  onRefused(handler: () => void): void {
    this.handlers.push(handler);
  }

  @Every(REFRESH_MS, 'erased users')
  async refresh(): Promise<void> {
    let isNew = false;
    for (const row of await this.erasures.refusals(this.seenUntil, OVERLAP_SECONDS)) {
      if (this.take(row)) isNew = true;
      if (this.seenUntil === undefined || row.updated_at > this.seenUntil) this.seenUntil = row.updated_at;
    }
    this.isLoaded = true;
    if (isNew) for (const handler of this.handlers) handler();
  }

  /** What is over is forgotten, here and in the database. */
  @Every(FORGET_MS, 'erased users of yesterday')
  async forget(): Promise<void> {
    const now = this.clock.wallMs();
    for (const [tenantId, keys] of this.byTenant) {
      for (const [keyId, refusals] of keys) {
        for (const [mac, { until }] of refusals) if (until <= now) refusals.delete(mac);
        if (refusals.size === 0) keys.delete(keyId);
      }
      if (keys.size === 0) this.byTenant.delete(tenantId);
    }
    await this.erasures.forget();
  }

  /** @returns whether somebody is refused from now on */
  private take({ tenant_id, user_mac, mac_key_id, state, requested_at }: RefusalRow): boolean {
    const keys: OfTenant = this.byTenant.get(tenant_id) ?? new Map<string, Map<string, Refusal>>();
    const refusals = keys.get(mac_key_id) ?? new Map<string, Refusal>();
    const mac = user_mac.toString('base64');
    // One that is not over is refused for as long as it takes.
    const until = state === 'done' ? requested_at.getTime() + REFUSED_HOURS * HOUR_MS : Infinity;
    const known = refusals.get(mac);
    if (known !== undefined) known.until = until;
    else refusals.set(mac, { until, seenAt: this.clock.wallMs() });
    keys.set(mac_key_id, refusals);
    this.byTenant.set(tenant_id, keys);
    return known === undefined;
  }
}

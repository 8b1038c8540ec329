import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../../common/time';
import { Gauge } from '../../../platform/metrics';
import type { Channel } from '../channels/channel-directory';
import type { ChannelFault } from '../providers/chat-model';

/** So many failures in a row, each within WINDOW_MS of the one before, open a breaker. */
const FAILURES = 5;
const WINDOW_MS = 60_000;
/** An open breaker lets no request through for so long; then one tries, and decides. */
export const OPEN_MS = 30_000;
/** Keys whose failures are remembered. */
const MAX_KEYS = 10_000;

interface Trouble {
  failures: number;
  failedAt: number;
  /** Until then no request may try; undefined while the breaker is closed. */
  openUntil: number | undefined;
  /** A request is trying whether it works again. */
  isProbed: boolean;
}

/** The right to try. Exactly one of its ends is called, once; `alive` may come before. */
export interface Permit {
  /** It is the one that finds out whether it works again. */
  readonly isProbe: boolean;
  /** The first sign of the answer: an open breaker closes. */
  alive(): void;
  succeeded(): void;
  failed(): void;
  /** It says nothing about the channel: the caller has left, or the request was at fault. */
  abandoned(): void;
}

/**
 * Keeps what is broken from being tried again and again, and what wants a slower pace from being tried too soon. The
 * memory of this node: every node finds out for itself. Only keys in trouble are remembered.
 */
@Injectable()
export class Breakers {
  private readonly troubles = new LRUCache<string, Trouble>({ max: MAX_KEYS });
  /** Until when a key is left alone, though nothing is broken. */
  private readonly pauses = new LRUCache<string, number>({ max: MAX_KEYS });

  constructor(private readonly clock: Clock) {}

  /** Undefined while it may not be tried. @param key what fails or works as one */
  enter(key: string): Permit | undefined {
    if (this.pausedMs(key) > 0) return undefined;
    const trouble = this.troubles.get(key);
    if (trouble?.openUntil !== undefined) {
      if (this.waitMs(key) > 0) return undefined;
      trouble.isProbed = true;
    }
    return this.permit(key, trouble?.openUntil !== undefined);
  }

  /** Milliseconds until it may be tried; 0: now. While another request is trying it, a guess. */
  waitMs(key: string): number {
    const paused = this.pausedMs(key);
    const trouble = this.troubles.peek(key);
    if (trouble?.openUntil === undefined) return paused;
    const left = Math.max(0, trouble.openUntil - this.clock.monotonicMs());
    return Math.max(paused, left === 0 && trouble.isProbed ? OPEN_MS : left);
  }

  isOpen(key: string): boolean {
    return this.troubles.peek(key)?.openUntil !== undefined;
  }

  /** How many are not closed. */
  @Gauge('chatapi_model_breakers_open')
  open(): number {
    return [...this.troubles.values()].filter(({ openUntil }) => openUntil !== undefined).length;
  }

  /** Leaves it alone for a while; nothing is counted. */
  pause(key: string, ms: number): void {
    this.pauses.set(key, this.clock.monotonicMs() + ms);
  }

  /** Opens a breaker at once. */
  trip(key: string): void {
    const now = this.clock.monotonicMs();
    this.troubles.set(key, { failures: FAILURES, failedAt: now, openUntil: now + OPEN_MS, isProbed: false });
  }

  /** It works after all. */
  close(key: string): void {
    this.troubles.delete(key);
  }

  private pausedMs(key: string): number {
    const until = this.pauses.peek(key);
    return until === undefined ? 0 : Math.max(0, until - this.clock.monotonicMs());
  }

  private permit(key: string, isProbe: boolean): Permit {
    return {
      isProbe,
      alive: () => {
        // A breaker whose probe is answered is closed, and one failure later in trouble no more than any other.
        if (isProbe) this.troubles.delete(key);
      },
      succeeded: () => void this.troubles.delete(key),
      failed: () => this.failed(key, isProbe),
      abandoned: () => {
        const trouble = this.troubles.peek(key);
        if (isProbe && trouble) trouble.isProbed = false;
      },
    };
  }

  private failed(key: string, isProbe: boolean): void {
    const now = this.clock.monotonicMs();
    const before = this.troubles.peek(key);
    const isStreak = before !== undefined && now - before.failedAt <= WINDOW_MS;
    const failures = (isStreak ? before.failures : 0) + 1;
    const isStillOpen = isProbe && before?.openUntil !== undefined;
    const openUntil = isStillOpen || failures >= FAILURES ? now + OPEN_MS : before?.openUntil;
    this.troubles.set(key, { failures, failedAt: now, openUntil, isProbed: false });
  }
}

/** Models of one channel whose failures are counted by themselves; beyond them, and for any that users name: together. */
const MAX_MODELS = 32;
const OTHER = 'other';
const MAX_CHANNELS = 10_000;
/** A shared channel is broken for all only where so many tenants have found it broken; of fewer, all of them. */
const MANY_TENANTS = 3;
const ASKED_WITHIN_MS = 600_000;
const MAX_TENANTS = 1000;
/** Where a provider asks for a slower pace and does not say for how long. */
const PAUSE_MS = 1000;
const MAX_PAUSE_MS = 600_000;

/** The tenant that wants to ask a channel, and for which model. */
export interface Asking {
  readonly channel: Channel;
  readonly tenantId: string;
  readonly model: string;
  /** The model was named by a user. */
  readonly isModelFree: boolean;
}

/** The right to try a channel. Exactly one of its ends is called, once; `alive` may come before. */
export interface Pass {
  alive(): void;
  succeeded(): void;
  failed(fault: ChannelFault): void;
  abandoned(): void;
}

/** When a tenant last asked a shared channel, failed by it, and was answered. */
interface Experience {
  askedAt: number;
  failedAt: number;
  answeredAt: number;
}

/**
 * Which tenant may try which channel now.
 *
 * What fails as one is a channel, in the version that is in force, with one model: a model that is down, or mistyped,
 * closes no other. The environment's channel is every tenant's, so it fails for each of them first: what one tenant does
 * closes it for no other. For all it closes when three tenants have found it broken within a minute and none has
 * been answered (while no more than two have asked in ten minutes: when it is closed for each of them). A key that is
 * refused, or an account without money, is the same for all and counted for all.
 */
@Injectable()
export class Gates {
  /** The models that each channel has a count of its own for. */
  private readonly models = new LRUCache<string, Set<string>>({ max: MAX_CHANNELS });
  private readonly experiences = new LRUCache<string, LRUCache<string, Experience>>({ max: MAX_MODELS + 1 });

  constructor(
    private readonly breakers: Breakers,
    private readonly clock: Clock,
  ) {}

  /** Undefined while the channel may not be tried. */
  enter(asking: Asking): Pass | undefined {
    const { all, own } = this.keysOf(asking);
    const mine = this.breakers.enter(own);
    if (mine === undefined) return undefined;
    if (!asking.channel.isShared) return this.pass(own, mine);
    const everybodys = this.breakers.enter(all);
    if (everybodys === undefined) {
      mine.abandoned();
      return undefined;
    }
    this.experienceOf(all, asking.tenantId).askedAt = this.clock.monotonicMs();
    return this.sharedPass(asking, mine, everybodys);
  }

  /** Milliseconds until the channel may be tried for that model; 0: now. */
  waitMs(asking: Asking): number {
    const { all, own } = this.keysOf(asking);
    return Math.max(this.breakers.waitMs(own), this.breakers.waitMs(all));
  }

  /** The same for whichever of the models that it was asked for. */
  leastWaitMs(channel: Channel, tenantId: string): number {
    const names = new Set([...(this.models.peek(channel.key) ?? []), channel.model]);
    const waits = [...names].map((model) => this.waitMs({ channel, tenantId, model, isModelFree: false }));
    return Math.min(...waits);
  }

  private pass(own: string, mine: Permit): Pass {
    return {
      alive: () => mine.alive(),
      succeeded: () => mine.succeeded(),
      abandoned: () => mine.abandoned(),
      failed: (fault) => this.settle(own, mine, fault),
    };
  }

  private sharedPass(asking: Asking, mine: Permit, everybodys: Permit): Pass {
    const { all, own } = this.keysOf(asking);
    const experience = this.experienceOf(all, asking.tenantId);
    return {
      alive: () => {
        mine.alive();
        everybodys.alive();
      },
      succeeded: () => {
        experience.answeredAt = this.clock.monotonicMs();
        mine.succeeded();
        everybodys.succeeded();
      },
      abandoned: () => {
        mine.abandoned();
        everybodys.abandoned();
      },
      failed: (fault) => {
        this.settle(own, mine, fault);
        if (fault.blame !== 'channel') return everybodys.abandoned();
        experience.failedAt = this.clock.monotonicMs();
        if (everybodys.isProbe || isEverybodys(fault)) return everybodys.failed();
        everybodys.abandoned();
        if (this.isBrokenForAll(all)) this.breakers.trip(all);
      },
    };
  }

  private settle(key: string, permit: Permit, fault: ChannelFault): void {
    if (fault.blame === 'channel') return permit.failed();
    permit.abandoned();
    if (fault.blame === 'pace') this.breakers.pause(key, Math.min(MAX_PAUSE_MS, fault.facts.retryAfterMs ?? PAUSE_MS));
  }

  private isBrokenForAll(all: string): boolean {
    const now = this.clock.monotonicMs();
    const tenants = [...(this.experiences.get(all) ?? [])].filter(
      ([, { askedAt }]) => now - askedAt <= ASKED_WITHIN_MS,
    );
    if (tenants.some(([, { answeredAt }]) => now - answeredAt <= WINDOW_MS)) return false;
    const failed = tenants.filter(([, { failedAt }]) => now - failedAt <= WINDOW_MS);
    if (tenants.length >= MANY_TENANTS) return failed.length >= MANY_TENANTS;
    return tenants.every(([tenantId]) => this.breakers.isOpen(ownKey(all, tenantId)));
  }

  private keysOf({ channel, tenantId, model, isModelFree }: Asking): { readonly all: string; readonly own: string } {
    const all = `${channel.key}\n${this.listed(channel, model, isModelFree)}`;
    return { all, own: channel.isShared ? ownKey(all, tenantId) : all };
  }

  private listed(channel: Channel, model: string, isModelFree: boolean): string {
    if (model === channel.model) return model;
    const known = this.models.get(channel.key) ?? new Set();
    if (known.has(model)) return model;
    if (isModelFree || known.size >= MAX_MODELS) return OTHER;
    this.models.set(channel.key, known.add(model));
    return model;
  }

  private experienceOf(all: string, tenantId: string): Experience {
    let tenants = this.experiences.get(all);
    if (tenants === undefined) {
      tenants = new LRUCache({ max: MAX_TENANTS });
      this.experiences.set(all, tenants);
    }
    let experience = tenants.get(tenantId);
    if (experience === undefined) {
      experience = { askedAt: -Infinity, failedAt: -Infinity, answeredAt: -Infinity };
      tenants.set(tenantId, experience);
    }
    return experience;
  }
}

function ownKey(all: string, tenantId: string): string {
  return `${all}\n${tenantId}`;
}

/** The next request will be refused for the same. */
function isEverybodys({ reason, facts }: ChannelFault): boolean {
  return reason === 'money' || (reason === 'auth' && facts.status !== 403);
}

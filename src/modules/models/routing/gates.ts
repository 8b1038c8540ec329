import { LRUCache } from 'lru-cache';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/time';
import type { Channel } from '../channels/channel-directory';
import type { ChannelFault } from '../providers/chat-model';
import { Breakers, type Permit, WINDOW_MS } from './breakers';

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

/** Who wants to ask a channel, and for which model. */
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
 * Who may try which channel now.
 *
 * What fails as one is a channel, in the version that is in force, with one model: a model that is down, or mistyped,
 * closes no other. The environment's channel is every tenant's, so it fails for each of them first: what one tenant does
 * closes it for nobody else. For all it closes when three tenants have found it broken within a minute and nobody has
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

/** Whoever asks next will be refused for the same. */
function isEverybodys({ reason, facts }: ChannelFault): boolean {
  return reason === 'money' || (reason === 'auth' && facts.status !== 403);
}

/**
 * Images of users on their way to a model. They are stored nowhere: the node that took a question has them in memory until its
 * run has ended here, whichever way, or 11 minutes have passed. A worker that has none (it is another node's, a crash came in between, an answer is written anew) tells the
 * model their names, and the answer says so.
 *
 * Invariant: what all that a tenant is shown at a time has on a node is bounded, and what would be beyond is refused before
 * anything is stored or asked. Nothing is held for longer than those minutes and one more, whether anything is asked meanwhile or
 * not.
 */
import { Injectable } from '@nestjs/common';
import { Clock } from '../../../common/time';
import { AppError } from '../../../common/errors';
import { Every } from '../../../platform/lifecycle';
import type { ModelImage } from '../../models';
import { ChatHub } from '../streams/chat-hub';

/** Characters of base64: of a tenant, and of all. */
const OF_TENANT = 64 * 1024 * 1024;
const OF_ALL = 256 * 1024 * 1024;
/** Where the word of its end is lost: the longest answer takes 10 minutes. One that has to wait for longer is told names. */
const FORGOTTEN_MS = 11 * 60_000;
const LOOK_MS = 60_000;
const RETRY_SECONDS = 5;

interface Held {
  readonly tenantId: string;
  readonly images: readonly ModelImage[];
  readonly size: number;
  readonly sinceMs: number;
}

@Injectable()
export class PromptImages {
  /** By run or call, the oldest first. */
  private readonly held = new Map<string, Held>();

  constructor(
    private readonly clock: Clock,
    hub: ChatHub,
  ) {
    // Another node may have taken the run.
    hub.onEnded((runId) => this.release(runId));
  }

  /**
   * Keeps images for a run or a call until `release`.
   * @throws 429 where the tenant, or the node, has as many as it may have
   */
  hold(tenantId: string, callId: string, images: readonly ModelImage[]): void {
    if (images.length === 0) return;
    this.forget();
    const size = images.reduce((sum, { base64 }) => sum + base64.length, 0);
    const all = [...this.held.values()];
    const sum = (entries: readonly Held[]): number => entries.reduce((total, entry) => total + entry.size, size);
    if (sum(all) > OF_ALL || sum(all.filter((entry) => entry.tenantId === tenantId)) > OF_TENANT)
      throw new AppError('RATE_LIMIT_EXCEEDED', 'Too many images are being answered: ask again when some have been', {
        retryAfterSeconds: RETRY_SECONDS,
      });
    this.held.set(callId, { tenantId, images, size, sinceMs: this.clock.monotonicMs() });
  }

  /** None where this node has none. */
  of(callId: string): readonly ModelImage[] {
    return this.held.get(callId)?.images ?? [];
  }

  release(callId: string): void {
    this.held.delete(callId);
  }

  @Every(LOOK_MS, 'prompt images')
  forget(): void {
    const nowMs = this.clock.monotonicMs();
    for (const [callId, { sinceMs }] of this.held) {
      if (nowMs - sinceMs < FORGOTTEN_MS) return;
      this.held.delete(callId);
    }
  }
}

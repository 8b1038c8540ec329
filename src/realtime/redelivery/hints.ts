import { Injectable } from '@nestjs/common';
import { Bus, type BusEnvelope, type Topic } from '../../platform/cluster';

/** The cursor of a user's acknowledgements in a room has moved. */
export interface Moved {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly userId: string;
  /** Acknowledged up to here. */
  readonly seq: number;
}

/** Messages of one room for one user. */
export interface Letters {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
  readonly userId: string;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** What one node's turn brought, for all nodes, itself too. */
interface Hints {
  /** Cursors that moved. */
  readonly moved: readonly Moved[];
  /** Messages to send once more, to the users' connections that are live in the rooms. */
  readonly again: readonly Letters[];
}

const REDELIVERY_HINTS: Topic<Hints> = 'redelivery-hints';

/** Tells all nodes what concerns a user's connections, once per turn. A hint may be lost. */
@Injectable()
export class RedeliveryHints {
  private moved: Moved[] = [];
  private again: Letters[] = [];
  private isScheduled = false;

  constructor(private readonly bus: Bus) {}

  listen(handler: (hints: Hints) => void): () => void {
    return this.bus.subscribe(REDELIVERY_HINTS, ({ payload }: BusEnvelope<Hints>) => handler(payload));
  }

  tellMoved(moved: Moved): void {
    this.moved.push(moved);
    this.schedule();
  }

  tellAgain(letters: readonly Letters[]): void {
    this.again.push(...letters);
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      const { moved, again } = this;
      this.isScheduled = false;
      this.moved = [];
      this.again = [];
      this.bus.publish(REDELIVERY_HINTS, { moved, again });
    });
  }
}

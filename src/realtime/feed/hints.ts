import { roomKey } from '../../common/ids';
import type { Topic } from '../../platform/cluster';
import type { StreamPart } from './ports';
import { RoomChange } from './room-change';

interface RoomRef {
  readonly tenantId: string;
  readonly roomId: string;
}

/** A change with what clients get of it; sent where the text was made anyway. */
export interface ChangeHint extends RoomRef {
  readonly kind: 'change';
  readonly rev: number;
  readonly seq?: number;
  readonly messageId?: string;
  readonly joins?: string;
  readonly leaves?: string;
  readonly ends?: boolean;
  readonly text: string;
}

/** The room has changed; `rev`: up to here, where that is known. */
export interface HeadHint extends RoomRef {
  readonly kind: 'head';
  readonly rev?: number;
  readonly joined?: readonly string[];
  readonly by?: string;
}

/** A frame that is not in the log. */
export interface SignalHint extends RoomRef {
  readonly kind: 'signal';
  readonly key: string;
  readonly text: string;
  readonly except?: string;
}

/** A part of a message that is being written. */
export interface StreamHint extends RoomRef {
  readonly kind: 'stream';
  readonly messageId: string;
  readonly part: StreamPart;
}

export type RoomHint = ChangeHint | HeadHint | SignalHint | StreamHint;

/** What one node's turn brought, for the others. */
export const ROOM_HINTS: Topic<readonly RoomHint[]> = 'room-hints';

export function changeOf(hint: ChangeHint): RoomChange {
  return new RoomChange(hint, () => hint.text);
}

/**
 * Collects what one turn brings and hands it on as one envelope. A room whose texts no connection here needed becomes
 * one hint with its highest revision: the receivers read the log.
 */
export class HintOutbox {
  private hints: RoomHint[] = [];
  private heads = new Map<string, HeadHint & { readonly rev: number }>();
  private isScheduled = false;

  constructor(private readonly publish: (hints: readonly RoomHint[]) => void) {}

  change(tenantId: string, roomId: string, change: RoomChange): void {
    const { rev, seq, messageId, joins, leaves, ends } = change.head;
    const text = change.madeText;
    if (text === undefined) this.head(tenantId, roomId, rev, joins);
    else
      this.add({
        kind: 'change',
        tenantId,
        roomId,
        rev,
        text,
        ...(seq === undefined ? {} : { seq }),
        ...(messageId === undefined ? {} : { messageId }),
        ...(joins === undefined ? {} : { joins }),
        ...(leaves === undefined ? {} : { leaves }),
        ...(ends === undefined ? {} : { ends }),
      });
  }

  add(hint: RoomHint): void {
    this.hints.push(hint);
    this.schedule();
  }

  private head(tenantId: string, roomId: string, rev: number, joins: string | undefined): void {
    const key = roomKey(tenantId, roomId);
    const before = this.heads.get(key);
    const joined = [...(before?.joined ?? []), ...(joins === undefined ? [] : [joins])];
    const head = { kind: 'head' as const, tenantId, roomId, rev: Math.max(rev, before?.rev ?? 0) };
    this.heads.set(key, joined.length === 0 ? head : { ...head, joined });
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.isScheduled = false;
    const hints = [...this.hints, ...this.heads.values()];
    this.hints = [];
    // A map that is cleared keeps what it held reachable for the garbage collector's short rounds.
    this.heads = new Map();
    this.publish(hints);
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { roomKey } from '../../common/ids';
import { AcknowledgedChanges } from '../../platform/database';
import { Bus, type BusEnvelope, NodeRegistry, type Topic } from '../../platform/cluster';
import { ReconnectPacer, type Frame, type StreamPart } from '../transport';
import { Channels } from './channels';
import { RoomChange } from './order';
import { type RoomEvent, RoomFeed } from './ports';
import { Resync } from './resync';

interface RoomRef {
  readonly tenantId: string;
  readonly roomId: string;
}

/** A change with what clients get of it; sent where the text was made anyway. */
interface ChangeHint extends RoomRef {
  readonly kind: 'change';
  readonly rev: number;
  readonly seq?: number;
  readonly messageId?: string;
  readonly changedSeq?: number;
  readonly firstSeq?: number;
  readonly joins?: string;
  readonly leaves?: string;
  readonly ends?: boolean;
  readonly text: string;
}

/** The room has changed; `rev`: up to here, where that is known. */
interface HeadHint extends RoomRef {
  readonly kind: 'head';
  readonly rev?: number;
  readonly joined?: readonly string[];
  readonly by?: string;
}

/** A frame that is not in the log. */
interface SignalHint extends RoomRef {
  readonly kind: 'signal';
  readonly key: string;
  readonly text: string;
  readonly except?: string;
}

/** A part of a message that is being written. */
interface StreamHint extends RoomRef {
  readonly kind: 'stream';
  readonly messageId: string;
  readonly part: StreamPart;
}

type RoomHint = ChangeHint | HeadHint | SignalHint | StreamHint;

/** What one node's turn brought, for the other nodes. */
export const ROOM_HINTS: Topic<readonly RoomHint[]> = 'room-hints';

function changeOf(hint: ChangeHint): RoomChange {
  return new RoomChange(hint, () => hint.text);
}

/**
 * Collects what one turn brings and hands it on as one envelope. A room whose texts no connection here needed becomes
 * one hint with its highest revision: the receivers read the log.
 */
class HintOutbox {
  private hints: RoomHint[] = [];
  private heads = new Map<string, HeadHint & { readonly rev: number }>();
  private isScheduled = false;

  constructor(private readonly publish: (hints: readonly RoomHint[]) => void) {}

  change(tenantId: string, roomId: string, change: RoomChange): void {
    const { rev, seq, messageId, changedSeq, firstSeq, joins, leaves, ends } = change.head;
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
        ...(changedSeq === undefined ? {} : { changedSeq }),
        ...(firstSeq === undefined ? {} : { firstSeq }),
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

/**
 * The feed of one node: hands what was committed here to the channels of this node, and as hints to the other nodes;
 * takes their hints in. A hint may be lost, doubled or late: a change out of order makes its channel read the log, a
 * gap in a node's numbers makes all channels compare themselves with it.
 */
@Injectable()
export class NodeFeed extends RoomFeed {
  private readonly nodeId: string;
  private readonly outbox: HintOutbox;
  /** The last number of each other node. */
  private readonly heard = new Map<string, number>();

  constructor(
    nodes: NodeRegistry,
    private readonly bus: Bus,
    private readonly channels: Channels,
    private readonly resync: Resync,
    @Inject(ReconnectPacer) private readonly pacer: Pick<ReconnectPacer, 'noteLive'>,
    @Inject(AcknowledgedChanges) private readonly acknowledged: Pick<AcknowledgedChanges, 'changed'>,
  ) {
    super();
    this.nodeId = nodes.self.nodeId;
    this.outbox = new HintOutbox((hints) => this.bus.publish(ROOM_HINTS, hints));
  }

  /** Begins to listen to the other nodes; returns how to end that. */
  listen(): () => void {
    return this.bus.subscribe(ROOM_HINTS, (envelope) => this.hear(envelope));
  }

  publishEvents(events: readonly RoomEvent[]): void {
    for (const event of events) {
      // Messages are noted where they are committed.
      if (event.seq === undefined) this.acknowledged.changed();
      const change = RoomChange.of(event);
      this.receive(event.tenantId, event.roomId, change);
      this.outbox.change(event.tenantId, event.roomId, change);
    }
  }

  touchRoom(tenantId: string, roomId: string, joined: readonly string[] = [], by?: string): void {
    this.acknowledged.changed();
    const hint: HeadHint = { kind: 'head', tenantId, roomId, joined, ...(by === undefined ? {} : { by }) };
    this.look(hint);
    this.outbox.add(hint);
  }

  signalMembers(tenantId: string, roomId: string, key: string, frame: Frame, except?: string): void {
    const text = JSON.stringify(frame);
    this.channels.find(tenantId, roomId)?.signal(key, text, except);
    this.outbox.add({ kind: 'signal', tenantId, roomId, key, text, ...(except === undefined ? {} : { except }) });
  }

  streamPart(tenantId: string, roomId: string, messageId: string, part: StreamPart): void {
    this.channels.find(tenantId, roomId)?.stream(messageId, part);
    this.outbox.add({ kind: 'stream', tenantId, roomId, messageId, part });
  }

  /** A node is gone: what it published last may be lost. */
  forget(nodeId: string): void {
    this.heard.delete(nodeId);
    void this.resync.all();
  }

  private hear({ node, n, payload }: BusEnvelope<readonly RoomHint[]>): void {
    // What this node published itself is told its clients too.
    this.pacer.noteLive();
    if (node === this.nodeId) return;
    for (const hint of payload) this.take(hint);
    const last = this.heard.get(node) ?? 0;
    if (n > last) this.heard.set(node, n);
    if (n > last + 1) void this.resync.all();
  }

  private take(hint: RoomHint): void {
    const { tenantId, roomId } = hint;
    if (hint.kind === 'change') this.receive(tenantId, roomId, changeOf(hint));
    else if (hint.kind === 'head') this.look(hint);
    else if (hint.kind === 'stream') this.channels.find(tenantId, roomId)?.stream(hint.messageId, hint.part);
    else this.channels.find(tenantId, roomId)?.signal(hint.key, hint.text, hint.except);
  }

  private receive(tenantId: string, roomId: string, change: RoomChange): void {
    const { rev, joins } = change.head;
    const channel = this.channels.following(tenantId, roomId, rev);
    // A channel that was made where it had happened already will never come to it.
    const isPast = channel === undefined || rev <= channel.position.rev;
    if (channel === undefined) this.channels.changesDuringLookup.note(tenantId, roomId, rev);
    else channel.receive(change);
    if (joins !== undefined && isPast) this.welcome(tenantId, roomId, [joins]);
  }

  private look({ tenantId, roomId, rev, joined, by }: HeadHint): void {
    const known = this.channels.find(tenantId, roomId);
    if (known === undefined || rev === undefined || rev > known.position.rev) {
      // What it says is not the change itself: a channel without connections is given up.
      const channel = this.channels.following(tenantId, roomId, undefined);
      if (channel === undefined) this.channels.changesDuringLookup.note(tenantId, roomId, rev ?? Infinity);
      else channel.refresh();
    }
    if (joined !== undefined) this.welcome(tenantId, roomId, joined, by);
  }

  /** Users that may have become members, where this node has connections of theirs. */
  private welcome(tenantId: string, roomId: string, joined: readonly string[], by?: string): void {
    const here = joined.filter((user) => this.channels.lacks(tenantId, roomId, user));
    if (here.length > 0) void this.resync.entrances(tenantId, roomId, here, by);
  }
}

import { Inject, Injectable } from '@nestjs/common';
import { roomAddress, roomKey, userAddress } from '../../common/ids';
import { AcknowledgedChanges } from '../../platform/database';
import { Bus, type BusEnvelope, NodeRegistry, type Topic, type Unsubscribe } from '../../platform/cluster';
import { ReconnectPacer, type Frame, type StreamPart } from '../transport';
import { Channels } from './channels';
import { HeardStreams, STREAM_ASKS, type StreamAsks, type StreamsSoFar, STREAMS_SO_FAR } from './heard-streams';
import { RoomChange } from './order';
import { type CommittedIn, type RoomEvent, RoomFeed, type RunningStreams, type SignalRule } from './ports';
import { Resync } from './resync';
import { BegunSignals, MergedSignals, type RoomSignal } from './signals';

/** A change with what clients get of it. */
interface ChangeHint {
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
interface HeadHint {
  readonly kind: 'head';
  readonly rev?: number;
}

/** A frame that is not in the log. */
interface SignalHint {
  readonly kind: 'signal';
  readonly key: string;
  readonly text: string;
  readonly except?: string;
  readonly rule?: HintRule;
}

/** A signal's rule as it is told to other nodes; `end` is the frame's JSON. */
type HintRule =
  | { readonly kind: 'begin'; readonly lastsMs: number; readonly end: string }
  | Exclude<SignalRule, { readonly kind: 'begin' }>;

/** A part of a message that is being written. */
interface StreamHint {
  readonly kind: 'stream';
  readonly messageId: string;
  readonly part: StreamPart;
}

type RoomHint = ChangeHint | HeadHint | SignalHint | StreamHint;

/** What one node's turn brought to a room, for the other nodes that have a channel of it. */
interface RoomHints {
  readonly tenantId: string;
  readonly roomId: string;
  readonly hints: readonly RoomHint[];
}

const ROOM_HINTS: Topic<RoomHints> = 'room-hints';

/** A user may have become a member, for the other nodes with connections of theirs: few of them have a channel of the room. */
interface JoinHint {
  readonly tenantId: string;
  readonly roomId: string;
  readonly userId: string;
  /** At this revision; undefined: it is not known. */
  readonly rev?: number;
  readonly by?: string;
}

const JOIN_HINTS: Topic<JoinHint> = 'join-hints';

/** A longer text is not sent to all nodes: those that need it read it, as few of them as there are. In UTF-16 units. */
const MOST_TEXT = 8192;

/** What one turn has brought to a room so far. */
class RoomOutbox {
  private readonly hints: RoomHint[] = [];
  /** The highest revision of the changes whose text is not sent. */
  private head = 0;
  private isTouched = false;

  constructor(
    private readonly tenantId: string,
    private readonly roomId: string,
  ) {}

  change(change: RoomChange): void {
    const { rev, seq, messageId, changedSeq, firstSeq, joins, leaves, ends } = change.head;
    const { text } = change;
    if (text.length > MOST_TEXT) this.head = Math.max(rev, this.head);
    else
      this.add({
        kind: 'change',
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

  add(hint: SignalHint | StreamHint | ChangeHint): void {
    this.hints.push(hint);
  }

  touch(): void {
    this.isTouched = true;
  }

  all(): RoomHints {
    const { tenantId, roomId } = this;
    if (this.head > 0) this.hints.push({ kind: 'head', rev: this.head });
    if (this.isTouched) this.hints.push({ kind: 'head' });
    return { tenantId, roomId, hints: this.hints };
  }
}

/**
 * Collects what one turn brings and hands it on, per room as one publication. The text of a change goes along, whether a
 * connection here needed it or not: what that costs is a hundredth of the read of the log that each other node with a
 * channel of the room would do for want of it.
 */
class HintOutbox {
  private rooms = new Map<string, RoomOutbox>();
  private isScheduled = false;

  constructor(private readonly publish: (hints: RoomHints) => void) {}

  of(tenantId: string, roomId: string): RoomOutbox {
    const key = roomKey(tenantId, roomId);
    const room = this.rooms.get(key) ?? new RoomOutbox(tenantId, roomId);
    this.rooms.set(key, room);
    this.schedule();
    return room;
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.isScheduled = false;
    const { rooms } = this;
    // A map that is cleared keeps what it held reachable for the garbage collector's short rounds.
    this.rooms = new Map();
    for (const room of rooms.values()) this.publish(room.all());
  }
}

/**
 * The feed of one node: hands what was committed here to the channels of this node, and as hints to the other nodes;
 * takes their hints in. A hint may be lost, doubled or late: a change out of order makes its channel read the log, a
 * gap of the bus makes all channels compare themselves with it. Where there is no other node no hint is made.
 */
@Injectable()
export class NodeFeed extends RoomFeed {
  private readonly nodeId: string;
  private readonly outbox: HintOutbox;
  private readonly begun: BegunSignals;
  private readonly merged: MergedSignals;
  private readonly streams: HeardStreams;
  /** Who is told of what was committed, and of which tenants. */
  private readonly committed = new Map<CommittedIn, Pick<ReadonlySet<string>, 'has'>>();

  constructor(
    private readonly nodes: NodeRegistry,
    private readonly bus: Bus,
    private readonly channels: Channels,
    private readonly resync: Resync,
    @Inject(ReconnectPacer) private readonly pacer: Pick<ReconnectPacer, 'noteLive'>,
    @Inject(AcknowledgedChanges) private readonly acknowledged: Pick<AcknowledgedChanges, 'changed'>,
  ) {
    super();
    this.nodeId = nodes.self.nodeId;
    const send = ({ tenantId, roomId, key, text, except }: RoomSignal): void =>
      this.channels.find(tenantId, roomId)?.signal(key, text, except);
    this.begun = new BegunSignals(channels.clock, send);
    this.merged = new MergedSignals(channels.clock, send);
    this.streams = new HeardStreams(channels.clock, (tenantId, roomId) =>
      this.bus.publish(STREAM_ASKS, { rooms: [{ tenantId, roomId }] }),
    );
    this.streams.watch(channels);
    this.outbox = new HintOutbox((hints) =>
      this.bus.publish(ROOM_HINTS, hints, roomAddress(hints.tenantId, hints.roomId)),
    );
  }

  /** Begins to listen to the other nodes; returns how to end that. */
  listen(): () => void {
    const ends = [
      this.bus.subscribe(ROOM_HINTS, (envelope) => this.hear(envelope)),
      this.bus.subscribe(STREAM_ASKS, (envelope) => this.tellSoFar(envelope)),
      this.bus.subscribe(STREAMS_SO_FAR, (envelope) => this.hearSoFar(envelope)),
      this.bus.subscribe(JOIN_HINTS, (envelope) => this.hearJoining(envelope)),
      this.bus.onGap(() => this.lookForLost()),
      this.nodes.onNodeLost(({ nodeId }) => this.begun.endOf(nodeId)),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  publishEvents(events: readonly RoomEvent[]): void {
    for (const event of events) {
      const { tenantId, roomId } = event;
      // Messages are noted where they are committed.
      if (event.seq === undefined) this.acknowledged.changed();
      this.tellCommitted(tenantId, roomId);
      const change = RoomChange.of(event);
      this.receive(tenantId, roomId, change);
      this.hints(tenantId, roomId)?.change(change);
      if (change.head.joins !== undefined) this.tellJoining(tenantId, roomId, change.head.joins, { rev: change.rev });
    }
  }

  touchRoom(tenantId: string, roomId: string, joined: readonly string[] = [], by?: string): void {
    this.acknowledged.changed();
    this.tellCommitted(tenantId, roomId);
    this.look(tenantId, roomId, undefined);
    this.welcome(tenantId, roomId, joined, by);
    this.hints(tenantId, roomId)?.touch();
    for (const userId of joined) this.tellJoining(tenantId, roomId, userId, by === undefined ? {} : { by });
  }

  signalMembers(tenantId: string, roomId: string, key: string, frame: Frame, except?: string, rule?: SignalRule): void {
    const text = JSON.stringify(frame);
    const told = rule?.kind === 'begin' ? { ...rule, end: JSON.stringify(rule.end) } : rule;
    const hints = this.hints(tenantId, roomId);
    // Where it is the only node, its own maker keeps to the rule; with those of others only the receiver can.
    const applied = hints === undefined ? undefined : told;
    this.takeSignal(this.nodeId, { tenantId, roomId, key, text, except }, applied);
    hints?.add({
      kind: 'signal',
      key,
      text,
      ...(except === undefined ? {} : { except }),
      ...(told === undefined ? {} : { rule: told }),
    });
  }

  streamPart(tenantId: string, roomId: string, messageId: string, part: StreamPart): void {
    this.channels.find(tenantId, roomId)?.stream(messageId, part);
    // This node may have ended it in place of one that is gone.
    const isOver = part.type === 'end' || part.type === 'error';
    if (isOver && this.bus.isShared) this.streams.over({ tenantId, roomId }, messageId);
    this.hints(tenantId, roomId)?.add({ kind: 'stream', messageId, part });
  }

  streamsFrom(source: RunningStreams): void {
    this.channels.running = source;
  }

  onCommitted(tenants: Pick<ReadonlySet<string>, 'has'>, handler: CommittedIn): Unsubscribe {
    this.committed.set(handler, tenants);
    return () => void this.committed.delete(handler);
  }

  /** Sends of signals what is due. */
  tick(): void {
    this.begun.tick();
    this.merged.tick();
  }

  /** Hints of other nodes may be lost, or what a node that is gone published last. */
  lookForLost(): void {
    void this.resync.all();
  }

  private tellCommitted(tenantId: string, roomId: string): void {
    for (const [handler, tenants] of this.committed) if (tenants.has(tenantId)) handler(tenantId, roomId);
  }

  /** Where to put what other nodes are to know of a room; undefined where there are none. */
  private hints(tenantId: string, roomId: string): RoomOutbox | undefined {
    if (this.bus.isShared) {
      this.noteLive(tenantId, roomId);
      return this.outbox.of(tenantId, roomId);
    }
    // Of one node alone, all that is published may be for its clients.
    this.pacer.noteLive();
    return undefined;
  }

  /**
   * Clients of this node may be sent something: those of the room, where it has any. What other nodes' clients are told, and
   * what is published here for them, spares none here.
   */
  private noteLive(tenantId: string, roomId: string): void {
    if ((this.channels.find(tenantId, roomId)?.size ?? 0) > 0) this.pacer.noteLive();
  }

  private tellJoining(
    tenantId: string,
    roomId: string,
    userId: string,
    more: { readonly rev: number } | { readonly by?: string },
  ): void {
    if (!this.bus.isShared) return;
    this.bus.publish(JOIN_HINTS, { tenantId, roomId, userId, ...more }, userAddress(tenantId, userId));
  }

  private hear({ node, payload: { tenantId, roomId, hints } }: BusEnvelope<RoomHints>): void {
    if (node === this.nodeId) return;
    this.noteLive(tenantId, roomId);
    for (const hint of hints) this.take(node, tenantId, roomId, hint);
  }

  private take(node: string, tenantId: string, roomId: string, hint: RoomHint): void {
    if (hint.kind === 'change') this.receive(tenantId, roomId, new RoomChange(hint, () => hint.text));
    else if (hint.kind === 'head') this.look(tenantId, roomId, hint.rev);
    else if (hint.kind === 'stream') this.hearPart(tenantId, roomId, hint);
    else this.takeSignal(node, { tenantId, roomId, key: hint.key, text: hint.text, except: hint.except }, hint.rule);
  }

  private hearPart(tenantId: string, roomId: string, { messageId, part }: StreamHint): void {
    const channel = this.channels.find(tenantId, roomId);
    if (channel !== undefined) this.streams.take(channel, messageId, part);
  }

  /** Another node has connections that came in the middle of what is written here. */
  private tellSoFar({ node, payload: { rooms } }: BusEnvelope<StreamAsks>): void {
    if (node === this.nodeId) return;
    for (const { tenantId, roomId } of rooms) {
      const streams = this.channels.running(tenantId, roomId);
      if (streams.length === 0) continue;
      // Parts that were handed in before belong before it: they are in it.
      this.outbox.flush();
      this.bus.publish(STREAMS_SO_FAR, { tenantId, roomId, streams }, roomAddress(tenantId, roomId));
    }
  }

  private hearSoFar({ node, payload: { tenantId, roomId, streams } }: BusEnvelope<StreamsSoFar>): void {
    const channel = node === this.nodeId ? undefined : this.channels.find(tenantId, roomId);
    if (channel !== undefined) for (const stream of streams) this.streams.takeSoFar(channel, stream);
  }

  private takeSignal(node: string, signal: RoomSignal, rule: HintRule | undefined): void {
    const { tenantId, roomId, key, text, except } = signal;
    const channel = this.channels.find(tenantId, roomId);
    if (channel === undefined) return;
    if (rule === undefined) channel.signal(key, text, except);
    else if (rule.kind === 'begin') this.begun.begin(node, signal, rule.end, rule.lastsMs);
    else if (rule.kind === 'end') this.begun.end(node, signal);
    else this.merged.merge(signal, rule.order, rule.everyMs);
  }

  private hearJoining({ node, payload: { tenantId, roomId, userId, rev, by } }: BusEnvelope<JoinHint>): void {
    if (node === this.nodeId) return;
    const channel = this.channels.find(tenantId, roomId);
    if (channel === undefined) this.channels.changesDuringLookup.note(tenantId, roomId, rev ?? Infinity);
    // A channel that is not there yet comes to it by itself, unless it is given up before.
    else if (rev !== undefined && rev > channel.position.rev && !channel.isIdle) return;
    this.welcome(tenantId, roomId, [userId], by);
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

  /** @param rev the room has got up to here; undefined: it is not known how far */
  private look(tenantId: string, roomId: string, rev: number | undefined): void {
    const known = this.channels.find(tenantId, roomId);
    if (known !== undefined && rev !== undefined && rev <= known.position.rev) return;
    // What it says is not the change itself: a channel without connections is given up.
    const channel = this.channels.following(tenantId, roomId, undefined);
    if (channel === undefined) this.channels.changesDuringLookup.note(tenantId, roomId, rev ?? Infinity);
    else channel.refresh();
  }

  /** Users that may have become members, where this node has connections of theirs. */
  private welcome(tenantId: string, roomId: string, joined: readonly string[], by?: string): void {
    const here = joined.filter((user) => this.channels.lacks(tenantId, roomId, user));
    if (here.length > 0) void this.resync.entrances(tenantId, roomId, here, by);
  }
}

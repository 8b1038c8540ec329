import fc from 'fast-check';
import type { SyncBounds } from '../../../src/realtime/sync/room-sync';
import { UnreliableBus } from '../cluster/unreliable-bus';
import { FeedNode } from './feed-nodes';
import { type Change, eventOf, ModelDatabase, type ModelRoom, turns } from './model-log';
import { ResyncClient } from './resync-client';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const ROOM = '0190bbbb-0000-7000-8000-000000000001';
/** Small, so that a few messages are too many. */
const BOUNDS: SyncBounds = { roomMessages: 6, messages: 6, roomRevisions: 1000, markedMembers: 100 };
const REORDERED_MS = 60;
const RETRIED_MS = 10_000;

export interface ResyncStep {
  readonly do:
    | ('message' | 'edit' | 'join' | 'leave' | 'publish' | 'see' | 'answer' | 'all' | 'fail')
    | ('open' | 'close' | 'stall' | 'read' | 'ack' | 'turn' | 'deliver' | 'double' | 'drop')
    | ('rest' | 'forget');
  readonly nth: number;
  /** Of a commit: on which node it is published, and how. */
  readonly node: number;
  readonly isTouch: boolean;
}

const step = (...names: readonly ResyncStep['do'][]): fc.Arbitrary<ResyncStep> =>
  fc.record({ do: fc.constantFrom(...names), nth: fc.nat(11), node: fc.nat(1), isTouch: fc.boolean() });

/** Steps in words: `leave 0; open 1; all`. */
export function parseSteps(text: string): ResyncStep[] {
  return text.split('; ').map((words) => {
    const [what = '', nth = '0'] = words.split(' ');
    return { do: what as ResyncStep['do'], nth: Number(nth), node: 0, isTouch: false };
  });
}

/** Nothing is lost: hints are late and doubled. */
export const losslessStep = fc.oneof(
  { weight: 5, arbitrary: step('message', 'message', 'edit') },
  { weight: 4, arbitrary: step('join', 'join', 'leave') },
  { weight: 8, arbitrary: step('publish') },
  { weight: 10, arbitrary: step('see', 'answer', 'answer', 'all') },
  { weight: 4, arbitrary: step('open', 'open', 'close') },
  { weight: 2, arbitrary: step('stall', 'read', 'ack', 'fail') },
  { weight: 3, arbitrary: step('turn', 'deliver', 'deliver', 'double') },
  { weight: 1, arbitrary: step('rest', 'forget') },
);

/** Hints are lost too. */
export const lossyStep = fc.oneof({ weight: 30, arbitrary: losslessStep }, { weight: 1, arbitrary: step('drop') });

/** Clients of one room on two nodes, whose users are let in and out while whatever is asked is answered late. */
export class ResyncSimulator {
  readonly database = new ModelDatabase(TENANT, 3);
  readonly room: ModelRoom = this.database.room(ROOM, ['ann', 'ben', 'cat']);
  readonly clients: readonly ResyncClient[];
  private readonly wire = new UnreliableBus();
  private readonly nodes = [new FeedNode(this.database, this.wire), new FeedNode(this.database, this.wire)];
  /** Committed and not published yet. */
  private readonly unpublished: (() => void)[] = [];

  constructor() {
    this.database.isPatient = true;
    this.room.isChannel = false;
    const sites = this.nodes.map((node) => ({ node, service: node.syncing(BOUNDS) }));
    const client = (user: string, node: number, manual: boolean): ResyncClient =>
      new ResyncClient(this.room, user, sites[node] as (typeof sites)[number], manual);
    this.clients = [
      client('ann', 0, true),
      client('ben', 0, true),
      client('ben', 1, true),
      client('cat', 0, false),
      client('cat', 1, true),
    ];
  }

  async run(steps: readonly ResyncStep[]): Promise<void> {
    for (const each of steps) {
      await this.step(each);
      this.pump();
    }
  }

  /** What is committed is published, what is asked is answered; nothing that was lost is looked for. */
  async settle(): Promise<void> {
    for (const { connection } of this.clients) connection?.read();
    for (const publish of this.unpublished.splice(0)) publish();
    await this.quiet();
  }

  /** What hints did not tell is found. */
  async find(): Promise<void> {
    for (const { feed } of this.nodes) {
      const round = feed.resync.all();
      await this.quiet();
      await round;
    }
  }

  verdict(): string[] {
    return this.clients.flatMap((client) => client.verdict());
  }

  stop(): void {
    for (const node of this.nodes) node.stop();
  }

  private async quiet(): Promise<void> {
    for (let isBusy = true; isBusy;) {
      await turns();
      this.wire.deliverAll();
      isBusy = (await this.database.answer()) > 0;
      await jest.advanceTimersByTimeAsync(isBusy ? REORDERED_MS : RETRIED_MS);
      await turns();
      this.pump();
      await turns();
      isBusy ||= this.database.calls.length + this.wire.onTheWay.length > 0;
    }
  }

  private pump(): void {
    for (const client of this.clients) client.pump();
  }

  private async step(each: ResyncStep): Promise<void> {
    const { nth } = each;
    const { calls } = this.database;
    const client = this.clients[nth % this.clients.length];
    const call = nth % Math.max(1, calls.length);
    if (each.do === 'see') calls[call]?.see();
    else if (each.do === 'answer') calls.splice(call, 1)[0]?.go();
    else if (each.do === 'all') await this.database.answer();
    else if (each.do === 'fail') this.fail();
    else if (each.do === 'publish') this.publish(nth);
    else if (each.do === 'open') client?.open();
    else if (each.do === 'close') client?.close();
    else if (each.do === 'stall') client?.stall();
    else if (each.do === 'read') client?.connection?.read();
    else if (each.do === 'ack') client?.ack();
    else if (each.do === 'deliver') this.wire.deliver(0);
    else if (each.do === 'double') this.wire.deliver(0, true);
    else if (each.do === 'drop') this.wire.drop(nth);
    else if (each.do === 'rest') this.nodes[each.node]?.rest();
    else if (each.do === 'forget') this.nodes[each.node]?.feed.channels.forget();
    else if (each.do === 'turn') await jest.advanceTimersByTimeAsync(REORDERED_MS);
    else this.commit(each);
    await turns();
  }

  private publish(nth: number): void {
    const [publish] = this.unpublished.splice(nth % Math.max(1, this.unpublished.length), 1);
    publish?.();
  }

  /** Reads that are tried again. */
  private fail(): void {
    const at = this.database.calls.findIndex(({ name }) => ['missed', 'messages', 'opening', 'after'].includes(name));
    if (at >= 0) this.database.calls.splice(at, 1)[0]?.fail();
  }

  private commit(each: ResyncStep): void {
    const change = this.change(each);
    if (change === undefined) return;
    const { feed } = (this.nodes[each.node] as FeedNode).feed;
    const joined = change.type === 'member.joined' ? [change.user ?? ''] : [];
    this.unpublished.push(() => {
      if (each.isTouch) feed.touchRoom(TENANT, ROOM, joined);
      else feed.publishEvents([eventOf(TENANT, ROOM, change)]);
    });
  }

  private change({ do: what, nth }: ResyncStep): Change | undefined {
    const user = nth % 2 === 0 ? 'ben' : 'cat';
    if (what === 'message') return this.room.message();
    if (what === 'edit') return this.room.edit(nth);
    return what === 'join' ? this.room.join(user) : this.room.leave(user);
  }
}

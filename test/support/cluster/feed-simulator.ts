import { FeedNode } from '../realtime/feed-nodes';
import { expectView, framesOf, type WatchedMember, withoutRepeats } from '../realtime/feed-view';
import { type Change, eventOf, ModelDatabase, type ModelRoom, turns } from '../realtime/model-log';
import { UnreliableBus } from './unreliable-bus';

const TENANT = '0190aaaa-0000-7000-8000-000000000001';
const NODES = 5;
const ROOMS = 3;
const USERS = 3;
/** Steps with the same rooms: then there is silence, and everybody must have everything. */
const ROUND = 400;

/** The same numbers for the same seed, all of them equally likely (mulberry32). */
class Dice {
  constructor(private state: number) {}

  /** From 0 up to and without `n`. */
  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}

interface Player extends WatchedMember {
  readonly room: ModelRoom;
  readonly node: FeedNode;
}

/**
 * The feed of five nodes on one database, of which everything that happens follows from a seed: commits on any node,
 * connections that come and go, nodes that die between a commit and its hints, and a bus that loses, doubles and swaps
 * them. Nothing but the bus's own gaps and the death of a node makes a node look for what it was not told.
 */
export class FeedSimulator {
  /** What happened, so that a test can say that it was not nothing. */
  readonly counts = { commits: 0, opened: 0, lost: 0, crashes: 0, frames: 0 };
  private readonly dice: Dice;
  private readonly database = new ModelDatabase(TENANT, 3);
  private readonly wire: UnreliableBus;
  private readonly nodes: FeedNode[];
  private rooms: readonly ModelRoom[] = [];
  private players: Player[] = [];
  /** Nodes that have yet to be told of another one's death. */
  private bereaved: FeedNode[] = [];
  private round = 0;

  constructor(seed: number) {
    this.dice = new Dice(seed);
    this.database.isPatient = true;
    // Addresses are heard of at once, as where every node gets everything, or later, as where each subscribes to its own.
    this.wire = new UnreliableBus(this.dice.below(2) === 1);
    this.nodes = Array.from({ length: NODES }, () => new FeedNode(this.database, this.wire));
  }

  /** Throws where a connection lacks something, or got it out of order. */
  async run(steps: number): Promise<void> {
    for (let done = 0; done < steps; done++) {
      if (done % ROUND === 0) this.begin();
      await this.step();
      await turns();
      if (done % ROUND === ROUND - 1 || done === steps - 1) await this.end();
    }
  }

  stop(): void {
    for (const node of this.nodes) node.stop();
  }

  private begin(): void {
    this.round++;
    this.rooms = Array.from({ length: ROOMS }, (_, n) => {
      const id = String(this.round * ROOMS + n).padStart(12, '0');
      return this.database.room(`0190bbbb-0000-7000-8000-${id}`, this.usersOf(n).slice(1));
    });
  }

  /** Hints stop, some of the last ones are lost, and nobody knows. Then each node says once up to where it has published. */
  private async end(): Promise<void> {
    for (const node of this.bereaved.splice(0)) node.feed.feed.lookForLost();
    while (this.wire.onTheWay.length + this.database.calls.length > 0) {
      while (this.wire.onTheWay.length > 0) this.travel();
      await this.database.settle();
    }
    this.wire.announce();
    while (this.wire.onTheWay.length + this.database.calls.length > 0) {
      this.wire.deliverAll();
      await this.database.settle();
    }
    for (const player of this.players) {
      const frames = withoutRepeats(framesOf(player.connection));
      this.counts.frames += frames.length;
      if (player.connection.isOpen) expectView(player.room, player, frames);
      player.connection.close();
    }
    this.players = [];
  }

  private async step(): Promise<void> {
    const dice = this.dice.below(100);
    if (dice < 35) this.commit();
    else if (dice < 70) for (let n = this.dice.below(8); n >= 0; n--) this.travel();
    else if (dice < 78) this.answer();
    else if (dice < 82) await this.database.answer();
    else if (dice < 89) this.open();
    else if (dice < 91) this.dice.of(this.players)?.connection.close();
    else if (dice < 95) this.wire.announce();
    else if (dice < 97) this.dice.of(this.nodes).rest();
    else if (dice < 98) this.crash();
    else this.bereaved.splice(0, 1)[0]?.feed.feed.lookForLost();
  }

  /** One envelope that is on its way, any of them, arrives or is lost. */
  private travel(): void {
    const [nth, fate] = [this.dice.below(this.wire.onTheWay.length + 1), this.dice.below(10)];
    if (fate < 2) {
      this.counts.lost++;
      this.wire.drop(nth);
    } else this.wire.deliver(nth, fate === 2);
  }

  private answer(): void {
    const { calls } = this.database;
    const call = this.dice.of(calls);
    if (this.dice.below(2) === 0) call?.see();
    else if (calls.length > 0) calls.splice(calls.indexOf(call), 1)[0]?.go();
  }

  private open(): void {
    const n = this.dice.below(ROOMS);
    const room = this.rooms[n] as ModelRoom;
    const [user, node] = [this.dice.of(this.usersOf(n)), this.dice.of(this.nodes)];
    const { connection, opened } = node.open(user);
    const player: Player = { room, node, connection, user, from: room.position.rev, upTo: Infinity };
    this.players.push(player);
    this.counts.opened++;
    void opened.then(() => (player.upTo = room.position.rev));
  }

  private commit(): void {
    const n = this.dice.below(ROOMS);
    const room = this.rooms[n] as ModelRoom;
    const change = this.change(room, this.dice.of(this.usersOf(n)));
    if (change === undefined) return;
    this.counts.commits++;
    const { feed } = this.dice.of(this.nodes).feed;
    if (this.dice.below(5) > 0) feed.publishEvents([eventOf(TENANT, room.roomId, change)]);
    else feed.touchRoom(TENANT, room.roomId, change.type === 'member.joined' ? [change.user ?? ''] : []);
  }

  private change(room: ModelRoom, user: string): Change | undefined {
    const kind = this.dice.below(10);
    if (kind < 6) return room.message();
    if (kind < 8) return room.edit(this.dice.below(100));
    return room.members.has(user) ? room.leave(user) : room.join(user);
  }

  /** A node dies after a commit that it has told nobody of, with its connections; another one starts. */
  private crash(): void {
    this.counts.crashes++;
    const n = this.dice.below(ROOMS);
    this.change(this.rooms[n] as ModelRoom, this.dice.of(this.usersOf(n)));
    const [dead] = this.nodes.splice(this.dice.below(NODES), 1);
    for (const { node, connection } of this.players) if (node === dead) connection.close();
    dead?.crash();
    this.bereaved = [...this.bereaved.filter((node) => node !== dead), ...this.nodes];
    this.nodes.push(new FeedNode(this.database, this.wire));
  }

  private usersOf(room: number): string[] {
    return Array.from({ length: USERS }, (_, n) => `user-${this.round}-${room}-${n}`);
  }
}

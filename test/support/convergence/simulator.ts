import { type Answer } from '../http/api';
import { listAll, type MessageBody, pathOf } from '../messages';
import { until } from '../poll';
import { bodyOf, type ListedRoomBody, listRooms, type MemberBody, type RoomBody } from '../rooms';
import { SyncingClient, type SyncingTarget } from './syncing-client';
import { divergences, type ListedRoom, shownAs } from './room-view';
import { MAX_WAIT_MS } from '../timing';

/** Always a member and admin of every room: who lets the others in and out. */
export const HOST = 'ann';
/** Sent what they have not acked, each on one device; they stay. */
export const RESIDENTS = ['dan', 'eve'];
/** On two devices each that keep their own positions; they come and go. */
export const VISITORS = ['bob', 'cat'];
/** Members without a device who write until they are erased, one after the other, where people are. */
export const GUESTS = ['yan', 'zoe'];

const AT_ONCE = 12;

/** 0 ≤ x < 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Step = (play: ConvergenceSimulator) => unknown;

/** Steps with how often each is taken. */
const STEPS: readonly (readonly [weight: number, step: Step])[] = [
  [30, (play) => play.device().send(play.room(), play.text())],
  [10, (play) => play.post(play.room(), play.text())],
  [8, (play) => play.edit()],
  [4, (play) => play.delete()],
  [12, (play) => play.react()],
  [10, (play) => play.device().mark('ack', play.room())],
  [6, (play) => play.device().mark('read', play.room())],
  [5, (play) => play.device().drop()],
  [3, (play) => play.device().stall(play.below(300))],
  [4, (play) => play.member()],
  [4, (play) => play.rest()],
  [1, (play) => play.storm()],
];

/** What goes on besides. */
export interface Removals {
  /** Lets what a room has up to a message expire; resolves when it has. */
  readonly expire: (roomId: string, throughSeq: number) => Promise<void>;
  /** Erases one of `GUESTS`, who are members of all rooms; resolves when that is done. */
  readonly erase: (userId: string) => Promise<void>;
}

/** Beside `STEPS`, where something is removed. */
const REMOVING: readonly (readonly [weight: number, step: Step])[] = [
  [4, (play) => play.expire()],
  [12, (play) => play.guest()],
];

/** One random run over a world. */
export class ConvergenceSimulator {
  readonly devices: SyncingClient[];
  readonly faults: string[] = [];
  /** How often all devices went at once. */
  storms = 0;
  private isStormy = false;
  private readonly underWay = new Set<Promise<unknown>>();
  private readonly steps: readonly (readonly [weight: number, step: Step])[];
  private readonly floors = new Map<string, number>();
  readonly world: SyncingTarget;

  /** @param removals where messages expire, and people are erased, while everything goes on */
  constructor(
    world: SyncingTarget,
    private readonly random: () => number,
    private readonly removals?: Removals,
  ) {
    this.world = { ...world, floors: this.floors };
    this.steps = removals === undefined ? STEPS : [...STEPS, ...REMOVING];
    const two = (userId: string): SyncingClient[] =>
      ['phone', 'laptop'].map((kind) => new SyncingClient(this.world, `${userId}'s ${kind}`, userId, true));
    const one = (userId: string): SyncingClient =>
      new SyncingClient(this.world, `${userId}'s only device`, userId, false);
    this.devices = [...[HOST, ...VISITORS].flatMap(two), ...RESIDENTS.map(one)];
    for (const device of this.devices) device.start();
  }

  async run(steps: number): Promise<void> {
    const { steps: choice } = this;
    const all = choice.reduce((sum, [weight]) => sum + weight, 0);
    for (let n = 0; n < steps; n++) {
      let left = this.below(all);
      const [, step] = choice.find(([weight]) => (left -= weight) < 0) ?? [0, () => undefined];
      this.begin(() => step(this));
      const erased = GUESTS.findIndex((_, i) => n === Math.floor((steps * (i + 1)) / (GUESTS.length + 1)));
      if (erased >= 0) this.begin(() => this.removals?.erase(GUESTS[erased] ?? ''));
      // Whatever else runs meanwhile gets its turn.
      if (this.underWay.size >= AT_ONCE) await Promise.race(this.underWay);
      else if (n % 4 === 0) await new Promise(setImmediate);
    }
    await Promise.all(this.underWay);
  }

  private begin(work: () => unknown): void {
    const done = Promise.resolve(work())
      .catch((error: unknown) => this.faults.push(String(error)))
      .finally(() => this.underWay.delete(done));
    this.underWay.add(done);
  }

  /** Everybody is let in again, says a last word and has read it; resolves when all devices have what there is. */
  async settle(): Promise<ReadonlyMap<string, ListedRoom>> {
    for (const roomId of this.world.rooms.keys()) {
      const path = `/rooms/${roomId}/members`;
      bodyOf(await this.as(HOST).post(path, { user_ids: [...VISITORS, ...RESIDENTS] }));
    }
    await until(
      async () => this.devices.filter(({ isIdle }) => !isIdle).map(({ name }) => name),
      (busy) => busy.length === 0,
      MAX_WAIT_MS,
    );
    for (const roomId of this.world.rooms.keys()) await this.lastWords(roomId);
    const truths = await this.truths();
    const faults = (): string[] => this.divergences(truths);
    await until(
      async () => faults().length,
      (count) => count === 0,
      MAX_WAIT_MS,
    ).catch(() => this.faults.push(...faults()));
    return truths;
  }

  async stop(): Promise<void> {
    await Promise.all(this.devices.map((device) => device.stop()));
    for (const { faults, name } of this.devices) this.faults.push(...faults.map((fault) => `${name}: ${fault}`));
  }

  /** What devices have that is not so, or do not have. */
  divergences(truths: ReadonlyMap<string, ListedRoom>): string[] {
    return this.devices.flatMap((device) => [
      ...[...truths].flatMap(([roomId, truth]) =>
        divergences(device.view(roomId), truth, device.userId).map((fault) => `${device.name}: ${roomId}: ${fault}`),
      ),
      ...device.accepted.flatMap(({ roomId, seq, content }) => {
        const truth = truths.get(roomId);
        const firstSeq = truth?.firstSeq ?? 1;
        const stored = truth?.messages[seq - firstSeq];
        const isKept =
          seq < firstSeq ||
          (stored !== undefined &&
            (stored.content === content || stored.isDeleted || stored.content.startsWith('edited')));
        return isKept ? [] : [`${device.name}: ${content} was accepted as ${seq} and is lost`];
      }),
    ]);
  }

  below(n: number): number {
    return Math.floor(this.random() * n);
  }

  device(): SyncingClient {
    return this.pick(this.devices);
  }

  room(): string {
    return this.pick([...this.world.rooms.keys()]);
  }

  text(): string {
    return `text ${this.below(1e9)}${'.'.repeat(this.below(20) === 0 ? 10_000 : 0)}`;
  }

  /**
   * All devices are gone at once and come back at once, while a room they come to is written to and changed. It is over
   * when all are back; one that would begin meanwhile is none.
   */
  async storm(): Promise<void> {
    if (this.isStormy) return;
    this.isStormy = true;
    this.storms++;
    const before = this.devices.map(({ connections }) => connections);
    for (const device of this.devices) device.drop();
    await Promise.all([this.post(this.room(), this.text()), this.edit(), this.delete(), this.member()]);
    await until(
      async () => this.devices.filter(({ connections }, i) => connections === before[i]).map(({ name }) => name),
      (away) => away.length === 0,
    );
    this.isStormy = false;
  }

  /** Until something that is under way is over. */
  async rest(): Promise<void> {
    if (this.underWay.size > 0) await Promise.race(this.underWay);
  }

  async post(roomId: string, content: string, by = this.device().userId): Promise<void> {
    this.expect(await this.as(by).post(`/rooms/${roomId}/messages`, { content }), 201);
  }

  /** What was said up to somewhere becomes too old. */
  async expire(): Promise<void> {
    const roomId = this.room();
    const { last_seq } = bodyOf(await this.as(HOST).get<RoomBody>(`/rooms/${roomId}`));
    const through = this.below(last_seq + 1);
    this.floors.set(roomId, Math.max(this.floors.get(roomId) ?? 1, through + 1));
    await this.removals?.expire(roomId, through);
  }

  /** One who is erased sooner or later, or was, does something; mostly they say something. */
  guest(): Promise<void> {
    const by = this.pick(GUESTS);
    const what = this.below(5);
    if (what === 4) return this.react([by]);
    if (what === 0) return this.edit([by]);
    if (what === 1) return this.delete([by]);
    return this.post(this.room(), this.text(), by);
  }

  edit(by?: readonly string[]): Promise<void> {
    return this.change(
      async (user, path) => this.as(user).patch(path, { content: `edited ${this.below(1e9)}` }),
      200,
      by,
    );
  }

  delete(by?: readonly string[]): Promise<void> {
    return this.change(async (user, path) => this.as(user).delete(path), 204, by);
  }

  /** Gives a reaction to somebody's message, or takes it back; there are few, so that many are repeated. */
  async react(those: readonly string[] = [HOST, ...VISITORS, ...RESIDENTS]): Promise<void> {
    const [roomId, user] = [this.room(), this.pick(those)];
    const query = `?limit=5&order=${this.pick(['asc', 'desc'])}`;
    const listed = await this.as(user).get<MessageBody[]>(`/rooms/${roomId}/messages${query}`);
    if (listed.status !== 200) this.expect(listed, 200);
    if (listed.status !== 200 || listed.body.length === 0) return;
    const path = `${pathOf(roomId, this.pick(listed.body))}/reactions/${this.pick(['a', 'b', 'c'])}`;
    const answer = await this.as(user).call(this.pick(['PUT', 'PUT', 'DELETE']), path);
    if (answer.status !== 201 && answer.status !== 204) this.expect(answer, 200);
  }

  /** Lets a visitor in or out, or lets them go by themselves. */
  async member(): Promise<void> {
    const [user, path] = [this.pick(VISITORS), `/rooms/${this.room()}/members`];
    const what = this.below(4);
    if (what === 0) this.expect(await this.as(HOST).delete(`${path}/${user}`), 204);
    else if (what === 1) this.expect(await this.as(user).delete(`${path}/${user}`), 204);
    else this.expect(await this.as(HOST).post(path, { user_ids: [user] }), 200);
  }

  private async change(
    call: (by: string, path: string) => Promise<Answer<unknown>>,
    status: number,
    those: readonly string[] = [HOST, ...RESIDENTS],
  ): Promise<void> {
    const roomId = this.room();
    const by = this.pick(those);
    const query = `?limit=20&after_seq=${this.below(60)}`;
    const listed = await this.as(by).get<{ message_id: string; sender_id: string }[]>(
      `/rooms/${roomId}/messages${query}`,
    );
    if (listed.status !== 200) {
      this.expect(listed, 200);
      return;
    }
    const own = listed.body.filter(({ sender_id }) => sender_id === by);
    if (own.length > 0) this.expect(await call(by, pathOf(roomId, this.pick(own))), status);
  }

  private async lastWords(roomId: string): Promise<void> {
    const users = [HOST, ...VISITORS, ...RESIDENTS];
    for (const user of users)
      bodyOf(await this.as(user).post(`/rooms/${roomId}/messages`, { content: `${user} says good bye` }), 201);
    const messages = await listAll(this.as(HOST), roomId);
    for (const [i, user] of users.entries())
      bodyOf(await this.as(user).post('/reads', { room_id: roomId, seq: (messages.at(-1)?.seq ?? 0) - i }));
  }

  private async truths(): Promise<ReadonlyMap<string, ListedRoom>> {
    const users = [HOST, ...VISITORS, ...RESIDENTS];
    const lists = new Map<string, readonly ListedRoomBody[]>();
    for (const user of users) lists.set(user, (await listRooms(this.as(user))).rooms);
    const truths = new Map<string, ListedRoom>();
    for (const roomId of this.world.rooms.keys()) {
      const { first_seq: firstSeq } = bodyOf(await this.as(HOST).get<RoomBody>(`/rooms/${roomId}`));
      const messages = (await listAll(this.as(HOST), roomId)).map((message) => ({
        ...{ id: message.message_id, rev: message.rev, content: message.content },
        isDeleted: message.deleted_at !== null,
        reactions: shownAs((message as { reactions?: unknown }).reactions),
      }));
      const members = bodyOf(await this.as(HOST).get<MemberBody[]>(`/rooms/${roomId}/members`));
      const reads = users.map((user) => {
        const listed = lists.get(user)?.find(({ room_id }) => room_id === roomId);
        return [user, listed?.last_read_seq ?? 0] as const;
      });
      const roles = new Map(members.map(({ user_id, role }) => [user_id, role]));
      truths.set(roomId, { firstSeq, messages, roles, reads: new Map(reads) });
    }
    return truths;
  }

  /** What is refused may be refused for one who is no member by now, and for a message that is gone by now. */
  private expect(answer: Answer<unknown>, status: number): void {
    if (![status, 403, 404].includes(answer.status))
      this.faults.push(`${answer.status} ${JSON.stringify(answer.body)}`);
  }

  private as(user: string): ReturnType<SyncingTarget['tenant']['as']> {
    return this.world.tenant.as(user);
  }

  private pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

import { Injectable } from '@nestjs/common';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Channels, type Listener } from './channels';
import { FeedReads, type LogReads } from './log-reads';
import { RoomLog, RoomPositions } from './ports';
import type { Timed } from './poll-pace';
import { ResyncPace } from './resync-pace';

/** Rooms per question. */
export const ROOMS_AT_ONCE = 1000;
/** Users per question. */
const USERS_AT_ONCE = 500;
/** Rooms of users that are looked up here in one turn of the loop: about a millisecond. */
const ROOMS_PER_TURN = 1000;

export interface RoomRef {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
}

/** Users per poll whose rooms are looked at, different ones each time. */
const USERS_PER_POLL = 50;

/** Users of one tenant that are asked about together. */
interface UserPage {
  readonly tenantId: string;
  readonly users: readonly Listener[];
}

/**
 * Finds what hints did not tell. `poll` compares the revisions of all channels with the database, in slices, and asks
 * anew for the rooms of some of the connected users: a connection that is missing in the channel of a room of its
 * user, for whatever reason, comes in again within some polls. `all`, after a gap, asks for those of all users, since
 * they may have been added to rooms without a channel here.
 *
 * Invariants of `all`
 * - Rooms are compared first: they repair what clients are looking at. Users come after.
 * - It asks one thing at a time, about 1,000 rooms or 500 users of a tenant, and each question is a piece of the pacer's.
 *   Of what is answered about users 1,000 rooms are looked up per turn. So frames of clients that lack nothing do not wait.
 * - Rooms in which users are missing are asked about once per page, whoever many of its users are missing there.
 * - Where there are other nodes, which had the same gap, it begins 0 to 5 s later, and spreads its users over at most 60 s.
 * - One run at a time. Gaps that are told before it begins are one with it. One that is told later ends the rest before the
 *   next page and has the run begin anew, with the users first that were asked about longest ago: at least a page each
 *   time, so that none is left out, however often there is a gap.
 * - It ends when each user that was here when the last gap was told has been asked about since.
 */
@Injectable()
export class Resync {
  private running: Promise<void> | undefined;
  private again = false;
  private isStopped = false;
  private unasked: Iterator<Listener, void> | undefined;

  constructor(
    private readonly channels: Channels,
    private readonly log: RoomLog,
    private readonly positions: RoomPositions,
    private readonly reads: FeedReads,
    private readonly pace: ResyncPace,
  ) {}

  /** After a gap: hints of any kind may be lost. Never rejects. */
  all(): Promise<void> {
    this.channels.forget();
    this.again = true;
    this.pace.hurry();
    return (this.running ??= this.runs());
  }

  /** Compares these rooms' channels, at most 1,000, with the database. Never rejects. */
  async compareRooms(rooms: readonly RoomRef[]): Promise<void> {
    await this.reads.run(
      () => !this.isStopped,
      async () => this.compare(await this.log.heads(rooms)),
    );
  }

  /**
   * One round over the channels, and a part of one over the users; rejects when the database is away.
   * @param timed counts what its questions take
   */
  async poll(timed: Timed): Promise<void> {
    for (const rooms of pagesOf(this.channels.all(), ROOMS_AT_ONCE)) {
      if (this.isStopped) return;
      this.compare(await timed(() => this.heads(rooms)));
    }
    for (const page of userPages(this.nextUsers())) await this.askAbout(page, this.reads, timed);
  }

  /** Brings users that may just have been added to a room in, at the places where they joined. */
  async entrances(tenantId: string, roomId: string, users: readonly string[], by?: string): Promise<void> {
    await this.admit(tenantId, roomId, users, () => true, by);
  }

  /**
   * Brings the user's connections into the rooms in which they are missing. Those that are still being opened have not got
   * their places yet: where their user joined is no place for them, since that may be long ago. They look once more.
   */
  async findRooms(tenantId: string, userId: string): Promise<void> {
    const isWanted = (): boolean => !this.isStopped && this.channels.listeners.has(tenantId, userId);
    this.doubt(tenantId, userId);
    const positions = (await this.reads.run(isWanted, () => this.positions.positionsOf(tenantId, userId))) ?? [];
    for (const { roomId } of positions)
      if (this.lacks(tenantId, userId, roomId)) await this.findEntrance(tenantId, roomId, userId);
  }

  /** Brings the user's connections into one room, but for those that are still being opened. */
  async findEntrance(tenantId: string, roomId: string, userId: string): Promise<void> {
    await this.findEntrances(tenantId, roomId, [userId]);
  }

  @OnStop(StopStage.workers)
  stop(): void {
    this.isStopped = true;
  }

  private async runs(): Promise<void> {
    /** In which round each was asked about last. */
    const asked = new Map<Listener, number>();
    for (let round = 1; this.again && !this.isStopped; round++) {
      await this.pace.stagger();
      this.again = false;
      const [roomsDone, usersDone] = [this.pace.measure('rooms'), this.pace.measure('users')];
      for (const rooms of pagesOf(this.channels.all(), ROOMS_AT_ONCE)) await this.compareAgain(rooms);
      roomsDone();
      const users = [...this.channels.listeners.users()];
      const pages = userPages(users.sort((a, b) => (asked.get(a) ?? 0) - (asked.get(b) ?? 0)));
      let n = 0;
      for (const page of pages) {
        if (n > 0) await this.pace.restBetween(pages.length);
        if ((n > 0 && this.again) || this.isStopped) break;
        await this.askAbout(page, this.pace.reads);
        for (const user of page.users) asked.set(user, round);
        n++;
      }
      if (n === pages.length) usersDone();
    }
    this.running = undefined;
  }

  private async compareAgain(rooms: readonly RoomRef[]): Promise<void> {
    await this.pace.reads.run(
      () => !this.isStopped,
      async () => this.compare(await this.heads(rooms)),
    );
  }

  private heads(rooms: readonly RoomRef[]): ReturnType<RoomLog['heads']> {
    return this.log.heads(rooms.map(({ tenantId, roomId }) => ({ tenantId, roomId })));
  }

  private nextUsers(): Listener[] {
    const users: Listener[] = [];
    while (users.length < USERS_PER_POLL) {
      this.unasked ??= this.channels.listeners.users();
      const { value: user } = this.unasked.next();
      if (user === undefined) {
        this.unasked = undefined;
        return users;
      }
      users.push(user);
    }
    return users;
  }

  private async askAbout({ tenantId, users }: UserPage, reads: LogReads, timed: Timed = untimed): Promise<void> {
    const userIds = users.map(({ userId }) => userId);
    const isWanted = (): boolean =>
      !this.isStopped && userIds.some((userId) => this.channels.listeners.has(tenantId, userId));
    for (const userId of userIds) this.doubt(tenantId, userId);
    const found = (await reads.run(isWanted, () => timed(() => this.positions.roomsOf(tenantId, userIds)))) ?? [];
    const missing = new Map<string, string[]>();
    let looked = 0;
    for (const [i, userId] of userIds.entries())
      for (const roomId of found[i] ?? []) {
        if (++looked % ROOMS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
        if (this.lacks(tenantId, userId, roomId)) missing.set(roomId, [...(missing.get(roomId) ?? []), userId]);
      }
    for (const [roomId, missed] of missing) await this.findEntrances(tenantId, roomId, missed);
  }

  /** Connections of the user that are being opened are to look once more when they are. */
  private doubt(tenantId: string, userId: string): void {
    for (const listener of this.channels.listeners.of(tenantId, userId)) listener.isInDoubt ||= listener.isOpening;
  }

  /** Whether a connection of the user is missing in the room. */
  private lacks(tenantId: string, userId: string, roomId: string): boolean {
    const channel = this.channels.find(tenantId, roomId);
    return this.channels.listeners
      .of(tenantId, userId)
      .some(
        (listener) => !listener.isOpening && channel?.has(listener.connection) !== true && !listener.hasMuted(roomId),
      );
  }

  private async findEntrances(tenantId: string, roomId: string, users: readonly string[]): Promise<void> {
    await this.admit(tenantId, roomId, users, ({ isOpening }) => !isOpening);
  }

  private async admit(
    tenantId: string,
    roomId: string,
    users: readonly string[],
    isFor: (listener: Listener) => boolean,
    by?: string,
  ): Promise<void> {
    const { listeners, changesDuringLookup } = this.channels;
    const isWanted = (): boolean => !this.isStopped && users.some((user) => listeners.has(tenantId, user));
    await changesDuringLookup.during(async () => {
      const found = await this.reads.run(isWanted, () => this.positions.entrances(tenantId, roomId, users));
      for (const entrance of found ?? []) this.channels.admit(tenantId, roomId, entrance, by, isFor);
    });
  }

  private compare(heads: readonly (RoomRef & { readonly rev: number })[]): void {
    for (const { tenantId, roomId, rev } of heads) {
      const known = this.channels.find(tenantId, roomId);
      if (known === undefined || rev <= known.position.rev) continue;
      // Without connections it is given up instead, which loses what it remembers and no more.
      this.channels.following(tenantId, roomId, undefined)?.refresh();
    }
  }
}

function untimed<T>(ask: () => Promise<T>): Promise<T> {
  return ask();
}

function pagesOf<T>(all: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, n) => all.slice(n * most, (n + 1) * most));
}

/** By tenant, in the order of their first users. */
function userPages(users: readonly Listener[]): UserPage[] {
  const tenants = new Map<string, Listener[]>();
  for (const user of users) {
    const known = tenants.get(user.tenantId);
    if (known === undefined) tenants.set(user.tenantId, [user]);
    else known.push(user);
  }
  return [...tenants].flatMap(([tenantId, all]) =>
    pagesOf(all, USERS_AT_ONCE).map((page) => ({ tenantId, users: page })),
  );
}

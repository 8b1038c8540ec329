import { Injectable } from '@nestjs/common';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Channels, type Listener } from './channels';
import { FeedReads } from './log-reads';
import { RoomLog, RoomPositions } from './ports';

/** Rooms per question. */
export const ROOMS_AT_ONCE = 1000;

export interface RoomRef {
  readonly tenantId: string;
  /** UUID. */
  readonly roomId: string;
}

/** Users per poll whose positions are looked at, different ones each time. */
const USERS_PER_POLL = 50;

/**
 * Finds what hints did not tell. `poll` compares the revisions of all channels with the database, in slices, and asks
 * anew for the positions of some of the connected users: a connection that is missing in the channel of a room of its
 * user, for whatever reason, comes in again within some polls. `all` asks for those of all users, since they may have been
 * added to rooms without a channel here.
 *
 * Concurrency: one run at a time; a run that is asked for meanwhile follows the running one, once.
 */
@Injectable()
export class Resync {
  private running: Promise<void> | undefined;
  private again = false;
  private isStopped = false;
  private unasked: Iterator<{ readonly tenantId: string; readonly userId: string }, void> | undefined;

  constructor(
    private readonly channels: Channels,
    private readonly log: RoomLog,
    private readonly positions: RoomPositions,
    private readonly reads: FeedReads,
  ) {}

  /** After a gap: hints of any kind may be lost. Never rejects. */
  all(): Promise<void> {
    this.channels.forget();
    if (this.running !== undefined) this.again = true;
    else this.running = this.runs();
    return this.running;
  }

  /** Compares these rooms' channels, at most 1,000, with the database. Never rejects. */
  async compareRooms(rooms: readonly RoomRef[]): Promise<void> {
    await this.reads.run(
      () => !this.isStopped,
      async () => this.compare(await this.log.heads(rooms)),
    );
  }

  /** One round over the channels, and a part of one over the users; rejects when the database is away. */
  async poll(): Promise<void> {
    await this.heads();
    for (let n = 0; n < USERS_PER_POLL && !this.isStopped; n++) {
      this.unasked ??= this.channels.listeners.users();
      const { value: user } = this.unasked.next();
      if (user === undefined) {
        this.unasked = undefined;
        return;
      }
      await this.findRooms(user.tenantId, user.userId);
    }
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
    for (const listener of this.channels.listeners.of(tenantId, userId)) listener.isInDoubt ||= listener.isOpening;
    const positions = (await this.reads.run(isWanted, () => this.positions.positionsOf(tenantId, userId))) ?? [];
    for (const { roomId } of positions) {
      const channel = this.channels.find(tenantId, roomId);
      const isMissing = ({ connection, isOpening }: Listener): boolean =>
        !isOpening && channel?.has(connection) !== true;
      const missing = this.channels.listeners.of(tenantId, userId).filter(isMissing);
      if (missing.some((listener) => !listener.hasMuted(roomId))) await this.findEntrance(tenantId, roomId, userId);
    }
  }

  /** Brings the user's connections into one room, but for those that are still being opened. */
  async findEntrance(tenantId: string, roomId: string, userId: string): Promise<void> {
    await this.admit(tenantId, roomId, [userId], ({ isOpening }) => !isOpening);
  }

  @OnStop(StopStage.workers)
  stop(): void {
    this.isStopped = true;
  }

  private async heads(): Promise<void> {
    const rooms = this.channels.all();
    for (let from = 0; from < rooms.length && !this.isStopped; from += ROOMS_AT_ONCE) {
      const slice = rooms.slice(from, from + ROOMS_AT_ONCE);
      this.compare(await this.log.heads(slice.map(({ tenantId, roomId }) => ({ tenantId, roomId }))));
    }
  }

  private async runs(): Promise<void> {
    do {
      this.again = false;
      await this.reads.run(
        () => !this.isStopped,
        () => this.heads(),
      );
      for (const { tenantId, userId } of [...this.channels.listeners.users()]) {
        if (this.isStopped) return;
        await this.findRooms(tenantId, userId);
      }
    } while (this.again);
    this.running = undefined;
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

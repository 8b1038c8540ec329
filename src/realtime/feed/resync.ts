import { Injectable } from '@nestjs/common';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { Channels } from './channels';
import { FeedReads } from './log-reads';
import { RoomLog, RoomPositions } from './ports';

/** Rooms per question. */
const SLICE = 1000;
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
      await this.positionsOf(user.tenantId, user.userId);
    }
  }

  /** The places at which users came in that may have been added to a room. */
  async entrances(tenantId: string, roomId: string, users: readonly string[], by?: string): Promise<void> {
    const isWanted = (): boolean =>
      !this.isStopped && users.some((user) => this.channels.listeners.has(tenantId, user));
    await this.channels.changesDuringLookup.during(async () => {
      const found = await this.reads.run(isWanted, () => this.positions.entrances(tenantId, roomId, users));
      for (const entrance of found ?? []) this.channels.admit(tenantId, roomId, entrance, by);
    });
  }

  @OnStop(StopStage.workers)
  stop(): void {
    this.isStopped = true;
  }

  private async heads(): Promise<void> {
    const rooms = this.channels.all();
    for (let from = 0; from < rooms.length && !this.isStopped; from += SLICE) {
      const slice = rooms.slice(from, from + SLICE);
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
        await this.positionsOf(tenantId, userId);
      }
    } while (this.again);
    this.running = undefined;
  }

  private async positionsOf(tenantId: string, userId: string): Promise<void> {
    const isWanted = (): boolean => !this.isStopped && this.channels.listeners.has(tenantId, userId);
    const positions = (await this.reads.run(isWanted, () => this.positions.positionsOf(tenantId, userId))) ?? [];
    for (const { roomId } of positions) {
      const channel = this.channels.find(tenantId, roomId);
      for (const listener of this.channels.listeners.of(tenantId, userId))
        if (channel?.has(listener.connection) !== true && !listener.hasMuted(roomId)) {
          await this.entrances(tenantId, roomId, [userId]);
          break;
        }
    }
  }

  private compare(
    heads: readonly { readonly tenantId: string; readonly roomId: string; readonly rev: number }[],
  ): void {
    for (const { tenantId, roomId, rev } of heads) {
      const known = this.channels.find(tenantId, roomId);
      if (known === undefined || rev <= known.position.rev) continue;
      // Without connections it is given up instead, which loses what it remembers and no more.
      this.channels.following(tenantId, roomId, undefined)?.refresh();
    }
  }
}

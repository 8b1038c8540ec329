import type { Connection, Seats } from '../contract';
import type { Announcer } from './announcer';
import type { LocalPresence } from './local-presence';
import type { Presence } from './presence';
import type { PresenceBoard } from './presence-board';

/** Look-ups at once: a thousand connections at a time must not take the database from the others. */
const PARALLEL = 4;
/** People whose status a snapshot tells. */
export const SNAPSHOT_PEOPLE = 5000;

/** Sends each new connection its `presence.snapshot`, first come, first served; what fails is tried again at a tick. */
export class Snapshots {
  private readonly waiting = new Set<Connection>();
  private running = 0;

  constructor(
    private readonly seats: Seats,
    private readonly presence: Presence,
    private readonly local: LocalPresence,
    private readonly board: PresenceBoard,
    private readonly announcer: Announcer,
  ) {}

  request(connection: Connection): void {
    this.board.hold(connection);
    this.waiting.add(connection);
    this.start().catch(() => undefined);
  }

  async tick(): Promise<void> {
    await this.start();
  }

  /** Works until nobody waits, or a look-up fails. */
  private async start(): Promise<void> {
    if (this.running >= PARALLEL) return;
    this.running++;
    try {
      for (const connection of this.waiting) {
        this.waiting.delete(connection);
        await this.serve(connection);
      }
    } finally {
      this.running--;
    }
  }

  private async serve(connection: Connection): Promise<void> {
    if (!connection.isOpen) {
      this.board.release(connection);
      return;
    }
    const { tenantId, userId } = connection;
    try {
      const largest = this.local.roomLimit(tenantId);
      const people = largest === 0 ? [] : await this.seats.neighbours(tenantId, userId, largest);
      const online = await this.presence.online(tenantId, people.slice(0, SNAPSHOT_PEOPLE));
      this.board.release(connection, online);
      for (const id of online) {
        // This node missed the hint: it started later, or the hint was lost. Nobody here has heard of it yet.
        const user = { tenantId, userId: id };
        if (!this.board.knowsOnline(user)) this.announcer.mark(user);
      }
    } catch (error) {
      this.waiting.add(connection);
      throw error;
    }
  }
}

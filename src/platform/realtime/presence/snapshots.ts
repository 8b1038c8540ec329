import type { Connection, Seats } from '../contract';
import type { TurnTaker } from '../turns';
import type { Announcer } from './announcer';
import type { LocalPresence } from './local-presence';
import type { Presence } from './presence';
import type { PresenceBoard } from './presence-board';

/** Look-ups at once: a thousand connections at a time must not take the database from the others. */
export const SNAPSHOTS_AT_ONCE = 4;
/** Connections whose people are looked up together where they wait. */
const TOGETHER = 16;
/** People whose status a snapshot tells. */
export const SNAPSHOT_PEOPLE = 5000;

export interface SnapshotParts {
  readonly seats: Seats;
  readonly presence: Presence;
  readonly local: LocalPresence;
  readonly board: PresenceBoard;
  readonly announcer: Announcer;
  readonly turns: TurnTaker;
}

/** Sends each new connection its `presence.snapshot`, first come, first served; what fails is tried again at a tick. */
export class Snapshots {
  private readonly waiting = new Set<Connection>();
  private running = 0;

  constructor(private readonly parts: SnapshotParts) {}

  request(connection: Connection): void {
    this.parts.board.hold(connection);
    this.waiting.add(connection);
    // In a storm they gather for the next tick, so that it costs few queries.
    if (!this.parts.turns.isCrowded) this.start().catch(() => undefined);
  }

  async tick(): Promise<void> {
    await this.start();
  }

  /** Works until nobody waits, or a look-up fails. */
  private async start(): Promise<void> {
    const { turns } = this.parts;
    if (this.running >= SNAPSHOTS_AT_ONCE) return;
    this.running++;
    try {
      while (this.waiting.size > 0 && (await turns.take(() => this.waiting.size > 0)))
        try {
          await this.serve(this.next());
        } finally {
          turns.giveBack();
        }
    } finally {
      this.running--;
    }
  }

  /** Those of the first one's tenant that go with it. */
  private next(): readonly Connection[] {
    const batch: Connection[] = [];
    for (const connection of this.waiting) {
      if (batch.length === TOGETHER || (batch[0] ?? connection).tenantId !== connection.tenantId) break;
      this.waiting.delete(connection);
      if (connection.isOpen) batch.push(connection);
      else this.parts.board.release(connection);
    }
    return batch;
  }

  private async serve(batch: readonly Connection[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const { tenantId } = first;
    try {
      const people = await this.peopleOf(tenantId, batch);
      for (const connection of batch) await this.tell(connection, people.get(connection.userId) ?? []);
    } catch (error) {
      for (const connection of batch) if (this.parts.board.isHeld(connection)) this.waiting.add(connection);
      throw error;
    }
  }

  private async peopleOf(
    tenantId: string,
    batch: readonly Connection[],
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const largest = this.parts.local.roomLimit(tenantId);
    const users = [...new Set(batch.map(({ userId }) => userId))];
    return largest === 0 ? new Map() : this.parts.seats.neighbours(tenantId, users, { largest, most: SNAPSHOT_PEOPLE });
  }

  private async tell(connection: Connection, people: readonly string[]): Promise<void> {
    const { presence, board, announcer } = this.parts;
    const { tenantId } = connection;
    const online = await presence.online(tenantId, people);
    board.release(connection, online);
    for (const id of online) {
      // This node missed the hint: it started later, or the hint was lost. Nobody here has heard of it yet.
      const user = { tenantId, userId: id };
      if (!board.knowsOnline(user)) announcer.mark(user);
    }
  }
}

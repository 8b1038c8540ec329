import { Inject, Injectable } from '@nestjs/common';
import { Every } from '../../platform/lifecycle';
import { RoomPositions } from '../feed';
import { ReconnectPacer, type Connection, type TurnTaker } from '../transport';
import { Announcer } from './announcer';
import { Presence, TICK_MS } from './leases';
import { LocalPresence } from './local-presence';
import { PresenceBoard } from './presence-board';

/** Look-ups at once: a thousand connections at a time must not take the database from other work. */
const SNAPSHOTS_AT_ONCE = 4;
/** Connections whose users to tell of are looked up together where they wait. */
const TOGETHER = 16;
/** Users whose status a snapshot tells. */
const SNAPSHOT_PEOPLE = 5000;

/** Sends each new connection its `presence.snapshot`, first come, first served; what fails is tried again at a tick. */
@Injectable()
export class Snapshots {
  private readonly waiting = new Set<Connection>();
  private running = 0;

  private readonly turns: TurnTaker;

  constructor(
    private readonly positions: RoomPositions,
    private readonly presence: Presence,
    private readonly local: LocalPresence,
    private readonly board: PresenceBoard,
    private readonly announcer: Announcer,
    @Inject(ReconnectPacer) pacer: Pick<ReconnectPacer, 'queue'>,
  ) {
    this.turns = pacer.queue(SNAPSHOTS_AT_ONCE, 'presence');
  }

  request(connection: Connection): void {
    this.board.hold(connection);
    this.waiting.add(connection);
    // In a storm they gather for the next tick, so that it costs few queries.
    if (!this.turns.isCrowded) this.start().catch(() => undefined);
  }

  @Every(TICK_MS, 'presence snapshots')
  async tick(): Promise<void> {
    await this.start();
  }

  /** Works until no connection waits, or a look-up fails. */
  private async start(): Promise<void> {
    const { turns } = this;
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

  /** The first one that waits, and connections of its tenant that go with it. */
  private next(): readonly Connection[] {
    const batch: Connection[] = [];
    for (const connection of this.waiting) {
      if (batch.length === TOGETHER || (batch[0] ?? connection).tenantId !== connection.tenantId) break;
      this.waiting.delete(connection);
      if (connection.isOpen) batch.push(connection);
      else this.board.release(connection);
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
      for (const connection of batch) if (this.board.isHeld(connection)) this.waiting.add(connection);
      throw error;
    }
  }

  private async peopleOf(
    tenantId: string,
    batch: readonly Connection[],
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    const largest = this.local.roomLimit(tenantId);
    const users = [...new Set(batch.map(({ userId }) => userId))];
    return largest === 0 ? new Map() : this.positions.neighbours(tenantId, users, { largest, most: SNAPSHOT_PEOPLE });
  }

  private async tell(connection: Connection, people: readonly string[]): Promise<void> {
    const { presence, board, announcer } = this;
    const { tenantId } = connection;
    const online = await presence.online(tenantId, people);
    board.release(connection, online);
    for (const id of online) {
      // This node missed the hint: it started later, or the hint was lost. No client of this node has heard of it yet.
      const user = { tenantId, userId: id };
      if (!board.knowsOnline(user)) announcer.mark(user);
    }
  }
}

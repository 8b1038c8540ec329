import { randomUUID } from 'node:crypto';
import { DeadLettersRepository } from '../../src/modules/delivery/dead-letters/dead-letters.repository';
import { DeliveryRepository } from '../../src/modules/delivery/delivery.repository';
import { cursorAdvance } from '../../src/modules/delivery/delivery.functions';
import { Database, type SchemaFunction, SystemDatabase } from '../../src/platform/database';
import { roleNames } from '../../src/platform/database/roles';
import { type FunctionResult, callFunction } from './schema-function-calls';
import { until } from './poll';
import { type RunnerFixture, startRunner } from './runner-fixture';
import { MAX_WAIT_MS } from './timing';

export interface StoredRun {
  readonly from: number;
  readonly to: number;
  readonly attempts: number;
}

/** Rooms with members and messages, made by SQL, and the repositories of delivery on them. */
export class DeadLettersFixture {
  readonly tenantId = randomUUID();
  readonly letters: DeadLettersRepository;
  readonly delivery: DeliveryRepository;
  private readonly database: Database;

  private constructor(readonly site: RunnerFixture) {
    const roles = roleNames('chatapi');
    this.database = new Database(site.runner, roles, site.source);
    const system = new SystemDatabase(site.runner, roles, site.source);
    this.letters = new DeadLettersRepository(this.database, system);
    this.delivery = new DeliveryRepository(this.database, system);
  }

  static async open(): Promise<DeadLettersFixture> {
    const made = new DeadLettersFixture(await startRunner(8, MAX_WAIT_MS));
    await made.sql(`INSERT INTO tenants (tenant_id, name) VALUES ($1, 'test')`);
    return made;
  }

  close(): Promise<void> {
    return this.site.close();
  }

  /** Runs SQL as superuser; $1 is the tenant. */
  sql<R extends object>(text: string, ...values: unknown[]): Promise<R[]> {
    return this.site.database.sql<R>(text, [this.tenantId, ...values]);
  }

  /** A group of ann, its admin, and ben, with so many messages; both joined at a seq. */
  async room(messages: number, joinedSeq = 0): Promise<string> {
    const room = randomUUID();
    await this.sql(`INSERT INTO users (tenant_id, user_id) VALUES ($1, 'ann'), ($1, 'ben') ON CONFLICT DO NOTHING`);
    await this.sql(
      `INSERT INTO rooms (tenant_id, room_id, type, last_seq, last_rev, member_count, members_added)
       VALUES ($1, $2, 'group', $3, $3, 2, 2)`,
      room,
      messages,
    );
    await this.sql(
      `INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
       VALUES ($1, $2, 'ann', 'admin', $3, 1), ($1, $2, 'ben', 'member', $3, 2)`,
      room,
      joinedSeq,
    );
    await this.sql(
      `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
       SELECT $1, $2, n, gen_random_uuid(), n, 'ann', 'hello', now() FROM generate_series(1, $3::bigint) n`,
      room,
      messages,
    );
    return room;
  }

  /** A connection of a member gives up. */
  giveUp(roomId: string, fromSeq: number, toSeq: number, userId = 'ben'): Promise<void> {
    return this.letters.add({ tenantId: this.tenantId, roomId, userId, fromSeq, toSeq, attempts: 5 }, 'ack timeout');
  }

  async ack(roomId: string, seq: number, userId = 'ben', isRead = false): Promise<object> {
    return this.call(cursorAdvance, { p_room: roomId, p_user: userId, p_seq: seq, p_read: isRead });
  }

  call<A extends object>(fn: SchemaFunction<A, unknown>, args: A): Promise<FunctionResult> {
    return callFunction(this.database, this.tenantId, fn, args);
  }

  /** Drops a letter; false: there is none. */
  drop(id: string): Promise<boolean> {
    return this.database.transaction('drop', this.tenantId, (tx) => this.letters.drop(tx, this.tenantId, id));
  }

  /** The rows of a member's letters in a room, in order. */
  runs(roomId: string, userId = 'ben'): Promise<StoredRun[]> {
    return this.sql<StoredRun>(
      `SELECT from_seq::int AS from, to_seq::int AS to, attempts FROM dead_letters
       WHERE tenant_id = $1 AND room_id = $2 AND user_id = $3 ORDER BY from_seq`,
      roomId,
      userId,
    );
  }

  /** seq → id of every letter of the room. */
  async ids(roomId: string): Promise<Map<number, string>> {
    const rows = await this.sql<{ seq: number; id: string }>(
      `SELECT s::int AS seq, dead_letter_id(letter_no, s)::text AS id FROM dead_letters,
       generate_series(from_seq, to_seq) s WHERE tenant_id = $1 AND room_id = $2 ORDER BY s`,
      roomId,
    );
    return new Map(rows.map((row) => [row.seq, row.id]));
  }

  /** Runs a call that has to wait for what another session holds, which then commits; returns what it answers. */
  async behind<T>(hold: string, values: readonly unknown[], call: () => Promise<T>): Promise<T> {
    const holder = await this.site.database.connect();
    try {
      await holder.query('BEGIN');
      await holder.query(hold, [this.tenantId, ...values]);
      const result = call();
      await until(
        () =>
          this.site.database.sql<{ n: number }>(
            `SELECT count(*)::int AS n FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'`,
          ),
        ([row]) => (row?.n ?? 0) > 0,
      );
      await holder.query('COMMIT');
      return await result;
    } finally {
      await holder.end();
    }
  }
}

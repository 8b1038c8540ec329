import { randomUUID } from 'node:crypto';
import { type Client, Pool } from 'pg';
import {
  memberRemove,
  membersAdd,
  memberSetRole,
  roomCreate,
  roomDelete,
  roomJoin,
  roomUpdate,
} from '../../src/modules/rooms/rooms.functions';
import type { SchemaFunction } from '../../src/platform/database';
import { roleNames } from '../../src/platform/database/roles';
import { createTestDatabase, type TestDatabase, testCluster } from './database';
import { type FunctionResult, roomTrim, callFunctionThrough } from './schema-function-calls';
import { until } from './poll';

export interface MemberState {
  readonly user_id: string;
  readonly role: string;
}

export interface RoomEvent {
  readonly rev: number;
  readonly type: string;
  readonly payload: { readonly user_id?: string; readonly role?: string };
}

/** A room as the tables hold it, read past row-level security in one snapshot. */
export interface RoomState {
  readonly member_count: number;
  readonly last_rev: number;
  readonly metadata: Record<string, unknown> | null;
  /** In the order of joining. */
  readonly members: readonly MemberState[];
  readonly events: readonly RoomEvent[];
}

const STATE = `
SELECT r.member_count, r.last_rev::int AS last_rev, r.metadata,
  (SELECT COALESCE(json_agg(json_build_object('user_id', m.user_id, 'role', m.role) ORDER BY m.member_no), '[]')
   FROM room_members m WHERE m.tenant_id = r.tenant_id AND m.room_id = r.room_id) AS members,
  (SELECT COALESCE(json_agg(json_build_object('rev', e.rev, 'type', e.type, 'payload', e.payload) ORDER BY e.rev), '[]')
   FROM room_events e WHERE e.tenant_id = r.tenant_id AND e.room_id = r.room_id) AS events
FROM rooms r WHERE r.tenant_id = $1 AND r.room_id = $2`;

const WAITING = `SELECT count(*)::int AS n FROM pg_stat_activity
  WHERE datname = current_database() AND wait_event_type = 'Lock'`;

/** The room functions of the schema, called as the tenant role on several connections at once. */
export class RoomFunctions {
  private constructor(
    readonly tenantId: string,
    private readonly database: TestDatabase,
    private readonly sessions: Pool,
    private readonly observer: Client,
  ) {}

  /** A database of its own with one tenant. `sessions` calls run at once, the others queue. */
  static async open(sessions = 8): Promise<RoomFunctions> {
    const database = await createTestDatabase();
    const tenantId = randomUUID();
    const observer = await database.connect();
    await observer.query(`INSERT INTO tenants (tenant_id, name) VALUES ($1, 'test')`, [tenantId]);
    const { rows } = await observer.query<{ role_prefix: string }>('SELECT role_prefix FROM instance');
    const role = roleNames(rows[0]?.role_prefix ?? '').tenant;
    const pool = new Pool({
      ...testCluster().admin,
      database: database.name,
      max: sessions,
      options: `-c role=${role} -c app.tenant=${tenantId}`,
    });
    // Dropping the database may meet a connection that is still closing; a query that dies rejects by itself.
    pool.on('error', () => undefined);
    const who = await pool.query<{ role: string }>('SELECT current_user AS role');
    if (who.rows[0]?.role !== role) throw new Error('the sessions do not run as the tenant role');
    return new RoomFunctions(tenantId, database, pool, observer);
  }

  async close(): Promise<void> {
    await Promise.all([this.sessions.end(), this.observer.end()]);
    await this.database.drop();
  }

  /** A room without events whose members joined in this order. */
  async create(type: string, members: readonly MemberState[]): Promise<string> {
    const room = randomUUID();
    const users = members.map((member) => member.user_id);
    const roles = members.map((member) => member.role);
    await this.call(roomCreate, { p_room: room, p_type: type, p_posting: 'members', p_users: users, p_roles: roles });
    return room;
  }

  add(room: string, actor: string, users: readonly string[], role = 'member'): Promise<FunctionResult> {
    return this.call(membersAdd, { p_room: room, p_actor: actor, p_users: users, p_role: role });
  }

  join(room: string, user: string): Promise<FunctionResult> {
    return this.call(roomJoin, { p_room: room, p_user: user });
  }

  setRole(room: string, actor: string, user: string, role: string): Promise<FunctionResult> {
    return this.call(memberSetRole, { p_room: room, p_actor: actor, p_user: user, p_role: role });
  }

  remove(room: string, actor: string, user: string): Promise<FunctionResult> {
    return this.call(memberRemove, { p_room: room, p_actor: actor, p_user: user });
  }

  merge(room: string, actor: string, metadata: object, maxBytes = 8192): Promise<FunctionResult> {
    return this.call(roomUpdate, { p_room: room, p_user: actor, p_metadata: metadata, p_max_bytes: maxBytes });
  }

  delete(room: string, actor: string): Promise<FunctionResult> {
    return this.call(roomDelete, { p_room: room, p_user: actor });
  }

  trim(room: string, firstSeq: number): Promise<FunctionResult> {
    return this.call(roomTrim, { p_room: room, p_first_seq: firstSeq });
  }

  /** Messages as the append function leaves them. */
  async write(room: string, count: number): Promise<void> {
    await this.observer.query(
      `WITH r AS (UPDATE rooms SET last_seq = last_seq + $3, last_rev = last_rev + $3
         WHERE tenant_id = $1 AND room_id = $2 RETURNING last_seq, last_rev)
       INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
       SELECT $1, $2, r.last_seq - $3 + n, gen_random_uuid(), r.last_rev - $3 + n, 'ann', 'text', clock_timestamp()
       FROM r, generate_series(1, $3::int) n`,
      [this.tenantId, room, count],
    );
  }

  async seqs(room: string): Promise<number[]> {
    const { rows } = await this.observer.query<{ seq: number }>(
      'SELECT seq::int AS seq FROM messages WHERE tenant_id = $1 AND room_id = $2 ORDER BY seq',
      [this.tenantId, room],
    );
    return rows.map(({ seq }) => seq);
  }

  /** What json_bytes says of each value. */
  async jsonBytes(values: readonly unknown[]): Promise<number[]> {
    const { rows } = await this.observer.query<{ bytes: number }>(
      'SELECT json_bytes(v) AS bytes FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY u(v, n) ORDER BY n',
      [JSON.stringify(values)],
    );
    return rows.map((row) => row.bytes);
  }

  async state(room: string): Promise<RoomState> {
    const { rows } = await this.observer.query<RoomState>(STATE, [this.tenantId, room]);
    const state = rows[0];
    if (!state) throw new Error(`no room ${room}`);
    return state;
  }

  /** Puts an agent into a room, as the AI modules will. */
  async seatAgent(room: string, agent: string): Promise<void> {
    await this.observer.query(
      `WITH u AS (INSERT INTO users (tenant_id, user_id) VALUES ($1, $3) ON CONFLICT DO NOTHING),
         r AS (UPDATE rooms SET member_count = member_count + 1, members_added = members_added + 1
           WHERE tenant_id = $1 AND room_id = $2 RETURNING members_added)
       INSERT INTO room_members (tenant_id, room_id, user_id, role, joined_seq, member_no)
       SELECT $1, $2, $3, 'agent', 0, r.members_added FROM r`,
      [this.tenantId, room, agent],
    );
  }

  /**
   * Runs `calls` while another session holds the room: all of them wait for it, go on at once in no certain order, and
   * see what `meanwhile` did there.
   */
  async behind(
    room: string,
    meanwhile: string,
    calls: readonly (() => Promise<FunctionResult>)[],
  ): Promise<FunctionResult[]> {
    const holder = await this.database.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM rooms WHERE tenant_id = $1 AND room_id = $2 FOR UPDATE', [this.tenantId, room]);
      const results: Promise<FunctionResult>[] = [];
      for (const call of calls) {
        results.push(call());
        await until(
          () => this.waiting(),
          (n) => n === results.length,
        );
      }
      await holder.query(meanwhile.replaceAll('$room', `tenant_id = '${this.tenantId}' AND room_id = '${room}'`));
      await holder.query('COMMIT');
      return await Promise.all(results);
    } finally {
      await holder.end();
    }
  }

  private async waiting(): Promise<number> {
    return (await this.observer.query<{ n: number }>(WAITING)).rows[0]?.n ?? 0;
  }

  private call<A extends object>(fn: SchemaFunction<A, unknown>, args: A): Promise<FunctionResult> {
    const run = async (text: string, values: unknown[]): Promise<{ result: FunctionResult }[]> =>
      (await this.sessions.query<{ result: FunctionResult }>(text, values)).rows;
    return callFunctionThrough(run, this.tenantId, fn, args);
  }
}

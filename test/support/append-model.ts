import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { newUuid } from '../../src/common/ids';
import { AppendRepository } from '../../src/modules/messages/appender/append.repository';
import { APPENDER_DEFAULTS } from '../../src/modules/messages/appender/appender';
import { BatchWriter } from '../../src/modules/messages/appender/batch-writer';
import { GroupCommit, type GroupCommitOptions } from '../../src/modules/messages/appender/group-commit';
import { type Appended, isStored, type NewMessage } from '../../src/modules/messages/appender/item';
import type { AppendRow } from '../../src/modules/messages/messages.functions';
import { roomCreate } from '../../src/modules/rooms/rooms.functions';
import type { OpenDatabase, SchemaFunction } from '../../src/platform/database';
import type { Lifecycle } from '../../src/platform/lifecycle';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import type { TestDatabase } from './database';
import { type FunctionResult, callFunction } from './schema-function-calls';
import { openTestDatabase } from './open-database';
import { MAX_WAIT_MS } from './timing';

/** How long appends of tests wait for a room, in ms; 0 is not at all. */
export const WAITING = APPENDER_DEFAULTS.contendedLockMs;

/** A room as tests of the append address it. */
export interface RoomRef {
  readonly tenantId: string;
  readonly roomId: string;
}

export interface LoggedMessage {
  readonly seq: number;
  readonly rev: number;
  readonly message_id: string;
  readonly sender_id: string;
  readonly content: string;
  readonly client_message_id: string | null;
  readonly created_at: Date;
}

/** Another session that holds a room's row until it lets go. */
export interface HeldRoom {
  /** Runs SQL in the transaction that holds the room. */
  run(text: string, values: unknown[]): Promise<void>;
  release(): Promise<void>;
}

/** A message for a room; what is not given is made up. */
export function messageTo(room: RoomRef, more: Partial<NewMessage> = {}): NewMessage {
  const content = more.content ?? 'hello';
  return {
    ...room,
    messageId: newUuid(),
    senderId: 'alice',
    clientMessageId: null,
    bodyHash: createHash('sha256').update(content).digest(),
    content,
    metaText: null,
    ...more,
  };
}

/** seq of a stored message; throws when it was not stored. */
export function seqOf(result: Appended): number {
  if (!isStored(result)) throw new Error(`not stored: ${result.status}`);
  return result.seq;
}

/** The append path on a real database, without HTTP. */
export class AppendFixture {
  readonly repository: AppendRepository;
  private readonly held = new Set<Client>();

  private constructor(
    readonly database: TestDatabase,
    readonly open: OpenDatabase,
    private readonly lifecycle: Lifecycle,
  ) {
    this.repository = new AppendRepository(open.system, {
      of: () => [],
      ofStates: () => [],
      appended: () => undefined,
    });
  }

  /** Call in beforeAll; `close` in afterAll. */
  static async start(): Promise<AppendFixture> {
    const { database, open, lifecycle } = await openTestDatabase({ DATABASE_POOL_SIZE: '8' });
    return new AppendFixture(database, open, lifecycle);
  }

  async close(): Promise<void> {
    await Promise.all([...this.held].map((client) => client.end()));
    await this.lifecycle.stop('test over');
    await this.database.drop();
  }

  /** A group commit on the real writer; recovery asks at once whether the database is there. */
  groupCommit(options: Partial<GroupCommitOptions> = {}): GroupCommit {
    const { availability } = this.open;
    const back = async (): Promise<boolean> => {
      await untilTrue(() => !availability.suspected && availability.up);
      return true;
    };
    const all = { ...APPENDER_DEFAULTS, ...options };
    return new GroupCommit(new BatchWriter(this.repository, back), new Metrics(new SilentLog()), all);
  }

  async tenant(): Promise<string> {
    const tenantId = newUuid();
    await this.database.sql('INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)', [tenantId, 'test']);
    return tenantId;
  }

  /** A group; alice is its admin. */
  async room(
    more: { tenantId?: string; roomId?: string; members?: string[]; posting?: string } = {},
  ): Promise<RoomRef> {
    const tenantId = more.tenantId ?? (await this.tenant());
    const roomId = more.roomId ?? newUuid();
    const members = more.members ?? ['alice', 'bob'];
    const roles = members.map((user) => (user === 'alice' ? 'admin' : 'member'));
    const posting = more.posting ?? 'members';
    await this.call({ tenantId, roomId }, roomCreate, {
      p_room: roomId,
      p_type: 'group',
      p_posting: posting,
      p_users: members,
      p_roles: roles,
    });
    return { tenantId, roomId };
  }

  /** Calls a function of the schema as the tenant of a room. */
  call<A extends object>({ tenantId }: RoomRef, fn: SchemaFunction<A, unknown>, args: A): Promise<FunctionResult> {
    return callFunction(this.open.database, tenantId, fn, args);
  }

  /** Appends one message by itself and returns its row. */
  async appendOne(message: NewMessage, lockMs = WAITING): Promise<AppendRow> {
    const [row] = await this.repository.append([message], lockMs);
    if (!row) throw new Error('the append returned no row');
    return row;
  }

  /** Takes the room's row in a session of its own, as an edit or a removal under way does. */
  async hold(room: RoomRef): Promise<HeldRoom> {
    const client = await this.database.connect();
    this.held.add(client);
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM rooms WHERE tenant_id = $1 AND room_id = $2 FOR NO KEY UPDATE', [
      room.tenantId,
      room.roomId,
    ]);
    return {
      run: async (text, values) => {
        await client.query(text, values);
      },
      release: async () => {
        await client.query('COMMIT');
        this.held.delete(client);
        await client.end();
      },
    };
  }

  /** The room's messages in order of seq, read past row-level security. */
  log(room: RoomRef): Promise<LoggedMessage[]> {
    return this.database.sql<LoggedMessage>(
      `SELECT seq::int, rev::int, message_id, sender_id, content, client_message_id, created_at FROM messages
       WHERE tenant_id = $1 AND room_id = $2 ORDER BY seq`,
      [room.tenantId, room.roomId],
    );
  }

  async counters(room: RoomRef): Promise<{ last_seq: number; last_rev: number }> {
    const [row] = await this.database.sql<{ last_seq: number; last_rev: number }>(
      'SELECT last_seq::int, last_rev::int FROM rooms WHERE tenant_id = $1 AND room_id = $2',
      [room.tenantId, room.roomId],
    );
    if (!row) throw new Error('no such room');
    return row;
  }

  /** Resolves when this many sessions wait for a lock in the database. */
  lockWaiters(count: number): Promise<void> {
    return untilTrue(async () => {
      const rows = await this.database.sql<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return (rows[0]?.n ?? 0) >= count;
    });
  }

  /** Ends the application's sessions that are running something; returns how many. */
  async killBusySessions(): Promise<number> {
    const rows = await this.database.sql<{ killed: boolean }>(
      `SELECT pg_terminate_backend(pid) AS killed FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'chatapi' AND state <> 'idle'`,
    );
    return rows.length;
  }
}

/** Polls until the condition holds; throws where it does not in time. */
export async function untilTrue(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + MAX_WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Throws unless the room's log is seq 1…N without a gap, each client id once, time never falling. */
export function checkLog(log: readonly LoggedMessage[]): void {
  const ids = new Set<string>();
  log.forEach((message, i) => {
    if (message.seq !== i + 1) throw new Error(`seq ${message.seq} where ${i + 1} belongs`);
    const before = log[i - 1];
    if (before && before.created_at.getTime() > message.created_at.getTime())
      throw new Error(`created_at falls at seq ${message.seq}`);
    if (message.client_message_id === null) return;
    const key = `${message.sender_id}/${message.client_message_id}`;
    if (ids.has(key)) throw new Error(`${key} is stored twice`);
    ids.add(key);
  });
}

import { SystemClock } from '../../src/common/time';
import { encodeId, newUuid } from '../../src/common/ids';
import { RoomFacts } from '../../src/modules/rooms';
import { roomCut, roomsToCut } from '../../src/modules/rooms/rooms.functions';
import type { TenantExportLine } from '../../src/modules/transfer/format';
import { importRoomBegin } from '../../src/modules/transfer/imports/imports.functions';
import { ImportIds } from '../../src/modules/transfer/imports/load/import-ids';
import { ImportedLog } from '../../src/modules/transfer/imports/load/imported-log.repository';
import { ImportLoader, type LoadedLine } from '../../src/modules/transfer/imports/load/loader';
import { ImportOver } from '../../src/modules/transfer/imports/load/writer';
import type { Database, SystemDatabase } from '../../src/platform/database';
import { AppendFixture, messageTo } from '../support/append-model';
import { rowsOf } from '../support/database';
import { RecordingFeed } from '../support/realtime/recording-feed';
import { roomLines, timeAfter, userLine } from '../support/transfer/files';

const ROOMS = ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002'] as const;
const MESSAGE = (room: number, n: number): string =>
  encodeId('message', `01900000-0000-7000-8000-0${room}${String(n).padStart(10, '0')}`);
/** Three batches of messages in the first room. */
const MESSAGES = [1100, 3] as const;

/** Of a chat, and what comes after it. */
function chatLines(room_id: string): TenantExportLine[] {
  return [
    {
      kind: 'chat',
      ...{ room_id, user_id: 'ann', group_id: null, preset: 'default', auto_title: false, is_active: true },
      external_id: 'w1xM8lHq',
      ...{ cleared_seq: 0, created_at: timeAfter(0), active_at: timeAfter(9) },
    },
    {
      kind: 'run',
      ...{ room_id, run_id: newUuid().replace(/^.{8}/, '01900000'), user_id: 'ann', reply_to_seq: 1, answer_seq: 2 },
      ...{ state: 'completed', token_count: 3, channel: null, model: null, finish_reason: 'stop', prompt_tokens: 5 },
      ...{
        completion_tokens: 3,
        total_tokens: 8,
        estimated: false,
        error_code: null,
        error_message: null,
        options: null,
      },
      ...{ created_at: timeAfter(1), started_at: timeAfter(1), ended_at: timeAfter(2), reasoning: 'Hm.' },
    },
    {
      kind: 'subscription',
      ...{
        subscription_id: encodeId('subscription', ROOMS[0]),
        user_id: 'ann',
        topic: 'news',
        created_at: timeAfter(3),
      },
    },
  ];
}

/** Two rooms, the second of them a chat with a run; each message has the same id each time. */
function lines(): TenantExportLine[] {
  const [group, chat] = ROOMS;
  const users = ['ann', 'ben', 'agent_default'].map((id) => userLine(id));
  const said = (room: number, count: number): { message_id: string }[] =>
    Array.from({ length: count }, (_, i) => ({ message_id: MESSAGE(room, i) }));
  const first = roomLines({
    roomId: group,
    members: ['ann', 'ben'],
    messages: said(1, MESSAGES[0]),
    room: { last_rev: 1101 },
  });
  const event: TenantExportLine = {
    kind: 'event',
    ...{ room_id: encodeId('room', group), rev: 1101, type: 'member.joined', created_at: timeAfter(5) },
    payload: { room_id: group, user_id: 'ben', role: 'member', by: 'ann' },
  };
  const second = roomLines({
    roomId: chat,
    members: ['ann', 'agent_default'],
    messages: said(2, MESSAGES[1]),
    room: { type: 'ai' },
  });
  const room_id = encodeId('room', chat);
  return [...users, ...[...first.slice(0, 3), event, ...first.slice(3)], ...second, ...chatLines(room_id)];
}

class Killed extends Error {}

/** Dies once: what reaches the database as its nth call is done, and nobody learns of it; or is not done. */
function dyingAfter<D extends Database | SystemDatabase>(database: D, dies: { left: number; isDone: boolean }): D {
  const call = async (work: () => Promise<unknown>): Promise<unknown> => {
    if (dies.left-- !== 1) return work();
    if (dies.isDone) await work();
    throw new Killed();
  };
  return new Proxy(database, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      const method = value.bind(target) as (...args: unknown[]) => Promise<unknown>;
      return property === 'query' || property === 'transaction'
        ? (...args: unknown[]) => call(() => method(...args))
        : method;
    },
  });
}

describe('loading what a file holds', () => {
  let bench: AppendFixture;
  const file = lines();

  beforeAll(async () => {
    bench = await AppendFixture.start();
  });
  afterAll(() => bench.close());

  interface Target {
    readonly tenantId: string;
    readonly importId: string;
  }

  async function target(): Promise<Target> {
    const ref = { tenantId: await bench.tenant(), importId: newUuid() };
    await bench.database.sql(
      `INSERT INTO imports (tenant_id, import_id, source, state, keeps_ids) VALUES ($1, $2, 'chatapi', 'running', true)`,
      [ref.tenantId, ref.importId],
    );
    return ref;
  }

  async function* all(): AsyncGenerator<LoadedLine> {
    for (const value of file) yield { bytes: 100, value };
  }

  function load(ref: Target, dies = { left: 0, isDone: false }, feed = new RecordingFeed()): Promise<void> {
    const database = dyingAfter(bench.open.database, dies);
    const log = new ImportedLog(dyingAfter(bench.open.system, dies));
    const loader = new ImportLoader(database, log, new RoomFacts(database), feed, new SystemClock());
    const ids = new ImportIds(ref.tenantId, 'chatapi', true);
    return loader.load({ ...ref, keepsIds: true }, ids, all(), new AbortController().signal);
  }

  /** All rows of the tenant but for what is of now. */
  async function rows({ tenantId, importId }: Target): Promise<string[]> {
    const found = await rowsOf(bench.database, tenantId);
    const usage = await bench.database.sql<{ row: string }>(
      `SELECT 'usage ' || sum(messages_sent) || ' ' || sum(storage_delta) AS row FROM usage_days WHERE tenant_id = $1
       UNION ALL SELECT 'mark ' || room_id || counted_seq FROM usage_rooms WHERE tenant_id = $1 ORDER BY 1`,
      [tenantId],
    );
    return [...found, ...usage.map(({ row }) => row)]
      .filter((row) => !/^tenants /.test(row))
      .map((row) => row.replaceAll(tenantId, '<tenant>').replaceAll(importId, '<import>'))
      .map((row) => (/^(imports|cursors) /.test(row) ? row.replace(/"\d{4}-[^"]*\+00:00"/g, '<time>') : row));
  }

  it('makes the same of it wherever it was killed, and once where two do it at once', async () => {
    const whole = await target();
    await load(whole);
    const expected = await rows(whole);
    const [counts] = await bench.database.sql('SELECT counts FROM imports WHERE import_id = $1', [whole.importId]);
    expect(counts).toEqual({
      counts: { user: 3, room: 2, member: 4, event: 1, message: 1103, chat: 1, run: 1, subscription: 1 },
    });

    let kills = 0;
    for (const isDone of [true, false])
      for (let n = 1, isOver = false; !isOver; n++) {
        const ref = await target();
        isOver = await load(ref, { left: n, isDone }).then(
          () => true,
          (error: unknown) => {
            if (error instanceof Killed) return false;
            throw error;
          },
        );
        if (!isOver) {
          kills++;
          await load(ref);
        }
        expect([n, isDone, await rows(ref)]).toEqual([n, isDone, expected]);
      }
    // Each batch, each room's beginning and opening, and the looks in between, twice.
    expect(kills).toBeGreaterThan(30);

    const both = await target();
    await Promise.all([load(both), load(both)]);
    expect(await rows(both)).toEqual(expected);
  });

  it('shows a room to nobody before it is whole: not to its members, not to retention', async () => {
    const ref = await target();
    const [roomId] = ROOMS;
    const room = { tenantId: ref.tenantId, roomId };
    // Dies with the second batch of messages.
    await expect(load(ref, { left: 5, isDone: true })).rejects.toBeInstanceOf(Killed);
    const [found] = await bench.database.sql<{ n: number; is_hidden: boolean }>(
      `SELECT count(m.*)::int AS n, bool_and(r.deleted_at IS NOT NULL) AS is_hidden FROM rooms r
       JOIN messages m USING (tenant_id, room_id) WHERE tenant_id = $1 AND room_id = $2`,
      [ref.tenantId, roomId],
    );
    expect(found?.is_hidden).toBe(true);
    expect(found?.n).toBeGreaterThan(0);
    expect(found?.n).toBeLessThan(MESSAGES[0]);
    expect((await bench.appendOne(messageTo(room, { senderId: 'ann' }))).status).toBe('no_room');
    await bench.database.sql(`UPDATE tenants SET settings = '{"retention_days": 1}' WHERE tenant_id = $1`, [
      ref.tenantId,
    ]);
    expect((await bench.call(room, roomCut, { p_room: roomId }))['status']).toBe('no_room');
    expect(await roomsToCut.call(bench.open.database, ref.tenantId, { p_limit: 10 })).toEqual([]);
    await bench.database.sql(`UPDATE tenants SET settings = '{}' WHERE tenant_id = $1`, [ref.tenantId]);

    const feed = new RecordingFeed();
    await load(ref, undefined, feed);
    expect((await bench.appendOne(messageTo(room, { senderId: 'ann' }))).status).toBe('new');
    expect(await roomsToCut.call(bench.open.database, ref.tenantId, { p_limit: 10 })).toHaveLength(2);
  });

  it('writes to no room that it did not make, and stops when it is over', async () => {
    const ref = await target();
    const room = await bench.room({ tenantId: ref.tenantId, roomId: ROOMS[0], members: ['ann'] });
    const log = new ImportedLog(bench.open.system);
    const row = {
      seq: 1,
      message_id: newUuid(),
      rev: 1,
      sender_id: 'ann',
      content: 'x',
      role: 'user',
      created_at: timeAfter(1),
    };
    expect(await log.add({ ...ref, roomId: room.roomId }, [{ ...row, body_hash: '' }])).toBe(0);
    const args = { p_room: room.roomId, p_import: ref.importId, p_row: file[3] ?? {} };
    expect((await bench.call(room, importRoomBegin, args))['status']).toBe('taken');
    expect(await bench.log(room)).toEqual([]);

    const over = await target();
    await bench.database.sql(`UPDATE imports SET state = 'failed' WHERE import_id = $1`, [over.importId]);
    await expect(load(over)).rejects.toBeInstanceOf(ImportOver);
    expect(await bench.database.sql('SELECT 1 FROM users WHERE tenant_id = $1', [over.tenantId])).toEqual([]);
  });
});

import type { INestApplicationContext } from '@nestjs/common';
import type { Client } from 'pg';
import { Eraser } from '../../src/modules/removal/erase/eraser';
import { ErasuresRepository } from '../../src/modules/removal/erase/erasures.repository';
import { EraseRunner } from '../../src/modules/removal/erase/erase.job';
import { ErasedUsers } from '../../src/modules/removal/erase/erased-users';
import { ErasureFile } from '../../src/modules/removal/erase/erasure-file';
import { LostErasures } from '../../src/modules/removal/erase/lost-erasures';
import { ERASE_STEPS, Paced } from '../../src/platform/tenant-data';
import { Log } from '../../src/platform/logging';
import { Secrets } from '../../src/platform/secrets';
import { TenantsService, UsersService } from '../../src/modules/tenants';
import type { TestTenant } from '../support/app';
import { type WithModel, withModel } from '../support/chats/http';
import { rowsOf } from '../support/database';
import { type ErasureBody, erasePath, requestErase, tracesIn, whenErased } from '../support/erase';
import { OTHER, TRACE, USER, writeEverywhere } from '../support/erase-canary';
import { until } from '../support/poll';
import { badField, bodyOf, createRoom, FORBIDDEN, NOT_FOUND, refusal, sendAll } from '../support/rooms';
import { ChangesFollower } from '../support/tenant-changes';
import { createKey, uuidOf, withKey } from '../support/tenants';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: WithModel<SocketApp>;
let nest: INestApplicationContext;
let tenant: TestTenant;
let eraser: Eraser;

beforeAll(async () => {
  app = await withModel((env) => startSocketApp({ env }));
  nest = app.nest;
  eraser = nest.get(Eraser, { strict: false });
});
afterAll(() => app.close());
beforeEach(async () => {
  tenant = await app.tenant();
});
afterEach(() => jest.restoreAllMocks());

const never = new AbortController().signal;
const own = async <R extends object>(text: string, ...values: unknown[]): Promise<R[]> =>
  app.database.sql<R>(text, [uuidOf(tenant.tenantId), ...values]);
const certificateOf = async (id: string): Promise<ErasureBody> =>
  bodyOf(await app.master.get<ErasureBody>(`/admin/tenants/${tenant.tenantId}/erasures/${id}`));

const WAITING_BATCHES = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
  AND query LIKE '%erasure_counted%'`;

/** What was begun by what was written is over: it would change rows by itself. */
const settled = (): Promise<object[]> =>
  until(
    () => own('SELECT 1 FROM jobs WHERE tenant_id = $1'),
    (jobs) => jobs.length === 0,
  );

/** One whose job never runs by itself: the test does its work. Its id, and its UUID. */
async function requested(userId = USER): Promise<{ id: string; uuid: string }> {
  const id = await requestErase(app, tenant, userId);
  await own(`UPDATE jobs SET run_at = 'infinity' WHERE tenant_id = $1 AND kind = 'user.erase'`);
  return { id, uuid: uuidOf(id) };
}

/** Works until it is done; every call may end anywhere. @returns how many calls that took */
async function work(uuid: string, rows: number): Promise<number> {
  for (let calls = 1; ; calls++) {
    const progress = await eraser.advance(uuidOf(tenant.tenantId), uuid, never, { rows }).catch(() => 'fault');
    if (progress === 'done') return calls;
  }
}

/** Two workers whose batches have both looked at the rooms before either has changed one. */
class Pairs {
  met = 0;
  private workers = 2;
  private settled = 0;
  private readonly begun: (() => void)[] = [];

  constructor(private readonly holder: Client) {}

  async do<T>(batch: () => Promise<T>): Promise<T> {
    const go = new Promise<void>((resolve) => this.begun.push(resolve));
    await Promise.all([go, this.meet()]);
    return batch().finally(() => this.settled++);
  }

  async end(): Promise<void> {
    this.workers--;
    await this.meet();
  }

  private async meet(): Promise<void> {
    const { length } = this.begun;
    if (length === 0 || length < this.workers) return;
    const met = this.begun.splice(0);
    this.settled = 0;
    await this.holder.query('BEGIN; LOCK TABLE rooms IN SHARE ROW EXCLUSIVE MODE');
    const waits = until(
      () => app.database.sql(WAITING_BATCHES),
      (waiting) => waiting.length + this.settled >= length,
    );
    for (const go of met) go();
    if (length === 2) this.met++;
    void waits.finally(() => this.holder.query('COMMIT'));
  }
}

describe('asking for an erase', () => {
  beforeEach(async () => {
    const { room_id } = await createRoom(tenant.as('ann'), 'group', ['ben']);
    await sendAll(tenant.as('ben'), room_id, ['1']);
  });

  it('is answered with the same erasure while it runs, and audited once', async () => {
    const id = await requestErase(app, tenant, 'ben');
    expect(await requestErase(app, tenant, 'ben')).toBe(id);
    expect(await certificateOf(id)).toMatchObject({ erasure_id: id, state: 'refusing', finished_at: null, counts: {} });
    expect(await whenErased(app, tenant, id)).toMatchObject({ state: 'done', counts: { messages: 1, users: 1 } });
    expect(refusal(await app.master.post(erasePath(tenant, 'ben')))).toEqual(NOT_FOUND);
    const rows = await own(`SELECT 1 FROM audit_log WHERE tenant_id = $1 AND action = 'user.erase'`);
    expect(rows).toHaveLength(1);
  });

  it('is answered to administrators of the tenant, and nobody else', async () => {
    const stranger = await app.tenant();
    expect(refusal(await stranger.key.post(erasePath(tenant, 'ben')))).toEqual(NOT_FOUND);
    const { api_key } = await createKey(app, tenant);
    expect(refusal(await withKey(app, api_key).post(erasePath(tenant, 'ben')))).toEqual(FORBIDDEN);
    expect(refusal(await app.anonymous.post(erasePath(tenant, 'ben')))).toMatchObject({ status: 401 });
    const id = bodyOf(await tenant.key.post<{ erasure_id: string }>(erasePath(tenant, 'ben')), 202).erasure_id;
    const path = `/admin/tenants/${tenant.tenantId}/erasures/${id}`;
    expect(bodyOf(await tenant.key.get(path))).toMatchObject({ erasure_id: id });
    expect(refusal(await stranger.key.get(`/admin/tenants/${stranger.tenantId}/erasures/${id}`))).toEqual(NOT_FOUND);
    expect(refusal(await tenant.key.get(`/admin/tenants/${tenant.tenantId}/erasures/er_1`))).toEqual(NOT_FOUND);
  });

  it.each(['nobody', 'agent_default', 'erased_0011', 'a b'])('of a user who is not there is 404: %s', async (user) => {
    expect(refusal(await tenant.key.post(erasePath(tenant, user)))).toEqual(NOT_FOUND);
  });

  it('under a hold is 409, and changes nothing', async () => {
    const { room_id: left } = await createRoom(tenant.as('ann'), 'group', ['ben']);
    await sendAll(tenant.as('ben'), left, ['2']);
    bodyOf(await tenant.as('ben').delete(`/rooms/${left}/members/ben`), 204);
    const { room_id: silent } = await createRoom(tenant.as('ann'), 'group', ['ben']);
    for (const path of ['users/ben', `rooms/${left}`, `rooms/${silent}`]) {
      bodyOf(await tenant.key.patch(`/admin/${path}`, { legal_hold: true }));
      await settled();
      const before = await rowsOf(app.database, uuidOf(tenant.tenantId));
      const answer = await tenant.key.post<{ error: { details: object } }>(erasePath(tenant, 'ben'));
      expect(refusal(answer)).toMatchObject({ status: 409, code: 'CONFLICT' });
      expect(JSON.stringify(answer.body)).toContain('"reason":"legal_hold"');
      expect(await rowsOf(app.database, uuidOf(tenant.tenantId))).toEqual(before);
      bodyOf(await tenant.key.patch(`/admin/${path}`, { legal_hold: false }));
    }
    await requestErase(app, tenant, 'ben');
  });

  it('reserves what stands for who was erased', async () => {
    expect(refusal(await tenant.as('erased_1').get('/rooms'))).toEqual(badField('X-User-Id'));
    const answer = await tenant.as('ann').post('/rooms', { type: 'group', members: ['erased_1'] });
    expect(refusal(answer)).toEqual(badField('members[0]'));
  });

  it('refuses the user for 24 hours, and then the name is free', async () => {
    const id = await requestErase(app, tenant, 'ben');
    await whenErased(app, tenant, id);
    expect(refusal(await tenant.as('ben').get('/rooms'))).toEqual(FORBIDDEN);
    const users = nest.get(ErasedUsers, { strict: false });
    const aged = (hours: number): Promise<object[]> =>
      own(
        `UPDATE erasures SET requested_at = clock_timestamp() - make_interval(hours => $2), updated_at = clock_timestamp()
         WHERE tenant_id = $1`,
        hours,
      );
    const macs = (): Promise<object[]> => own('SELECT 1 FROM erasures WHERE tenant_id = $1 AND user_mac IS NOT NULL');
    await aged(23);
    await users.refresh();
    await users.forget();
    expect(refusal(await tenant.as('ben').get('/rooms'))).toEqual(FORBIDDEN);
    expect(await macs()).toHaveLength(1);
    await aged(25);
    await users.refresh();
    expect((await tenant.as('ben').get('/rooms')).status).toBe(200);
    await users.forget();
    expect(await macs()).toHaveLength(0);
    await createRoom(tenant.as('ben'), 'group', []);
    expect((await requested('ben')).id).not.toBe(id);
  });

  it('that was given up is begun anew by asking again', async () => {
    const { id, uuid } = await requested('ben');
    const runner = nest.get(EraseRunner, { strict: false });
    const job = { id: 1, tenantId: uuidOf(tenant.tenantId), kind: 'user.erase', key: uuid, attempt: 1 };
    await runner.onDead({ ...job, payload: { erasure_id: uuid }, createdAt: new Date() }, 'too often');
    expect(await certificateOf(id)).toMatchObject({ state: 'failed', error: 'too often' });
    expect(refusal(await tenant.as('ben').get('/rooms'))).toEqual(FORBIDDEN);
    expect(await requestErase(app, tenant, 'ben')).toBe(id);
    expect(await whenErased(app, tenant, id)).toMatchObject({ state: 'done', error: null, counts: { users: 1 } });
  });
});

describe('an erase', () => {
  /** What is counted of USER where nothing goes wrong. */
  let whole: ErasureBody['counts'];
  /** The same of this tenant: in how many pieces an answer is stored depends on how fast it came. */
  let expected: ErasureBody['counts'];

  beforeEach(async () => {
    await writeEverywhere(tenant);
    await settled();
    expected = { ...whole, tokens: (await own('SELECT 1 FROM run_chunks WHERE tenant_id = $1')).length };
  });
  const traces = (): Promise<string[]> => tracesIn(app.database, TRACE);
  const erasures = (): ErasuresRepository => nest.get(ErasuresRepository, { strict: false });

  it('goes through every step, and leaves nothing', async () => {
    const behind = await ChangesFollower.begin(tenant.key);
    const { id, uuid } = await requested();
    const steps = new Set<string>();
    const batch = erasures().batch.bind(erasures());
    jest.spyOn(erasures(), 'batch').mockImplementation((erasure, step, ...rest) => {
      steps.add(step.name);
      return batch(erasure, step, ...rest);
    });
    expect(await work(uuid, 500)).toBe(1);
    expect([...steps]).toEqual(Object.keys(ERASE_STEPS));
    const certificate = await certificateOf(id);
    expect(certificate).toMatchObject({ state: 'done', counts: { users: 1, chats: 4, memberships: 3 } });
    expect(certificate.counts).toMatchObject({ reactions: 6, pins: 3 });
    whole = certificate.counts;
    expect(whole['tokens']).toBe(expected['tokens']);
    expect(await traces()).toEqual([]);
    const left = await own<{ user_id: string }>('SELECT user_id FROM users WHERE tenant_id = $1');
    expect(left.map(({ user_id }) => user_id)).toEqual(expect.arrayContaining(['bob', OTHER]));
    // A back end that has not heard of it yet reads the rooms anew, or it would keep the user as a member for ever.
    await until(
      () => behind.read(),
      () => behind.told.some(({ type }) => type === 'room.reset'),
    );
    expect(JSON.stringify(behind.told)).not.toMatch(new RegExp(TRACE));
  });

  it.each(['before', 'behind'])('goes on after a fault %s each of its batches, and counts exactly', async (where) => {
    const { id, uuid } = await requested();
    const batch = erasures().batch.bind(erasures());
    let faults = 0;
    let isFaulty = true;
    jest.spyOn(erasures(), 'batch').mockImplementation(async (...args) => {
      isFaulty = !isFaulty;
      if (where === 'before' && !isFaulty) throw new Error(`fault ${++faults}`);
      const done = await batch(...args);
      if (where === 'behind') throw new Error(`fault ${++faults}`);
      return done;
    });
    await work(uuid, 2);
    expect(faults).toBeGreaterThan(50);
    expect(await traces()).toEqual([]);
    expect((await certificateOf(id)).counts).toEqual(expected);
  });

  it('counts exactly where two do each batch at once', async () => {
    const { id, uuid } = await requested();
    const batch = erasures().batch.bind(erasures());
    const holder = await app.database.connect();
    const pairs = new Pairs(holder);
    // It rests for as long as a piece took, and here that holds the wait for the other: each would wait for the other's rest.
    jest.spyOn(Paced.prototype, 'piece').mockImplementation((piece) => piece());
    jest
      .spyOn(erasures(), 'batch')
      .mockImplementation((...args) => (args[1].name === 'chats' ? pairs.do(() => batch(...args)) : batch(...args)));
    // Row by row, both come to the last row of a chat together.
    await Promise.all([1, 1].map((rows) => work(uuid, rows).finally(() => pairs.end())));
    await holder.end();
    expect(pairs.met).toBeGreaterThan(5);
    expect(await traces()).toEqual([]);
    expect((await certificateOf(id)).counts).toEqual(expected);
  });

  it('finds what others write of the user behind a step that is over', async () => {
    const { uuid } = await requested();
    const batch = erasures().batch.bind(erasures());
    let isWritten = false;
    jest.spyOn(erasures(), 'batch').mockImplementation(async (erasure, step, ...rest) => {
      if (step.name === 'users' && !isWritten) {
        isWritten = true;
        const { room_id } = await createRoom(tenant.as('bob'), 'group', [USER]);
        bodyOf(await tenant.as('bob').patch(`/rooms/${room_id}`, { metadata: { owner: USER } }));
      }
      return batch(erasure, step, ...rest);
    });
    await work(uuid, 500);
    expect(isWritten).toBe(true);
    expect(await traces()).toEqual([]);
    const [room] = await own<{ n: number }>(
      `SELECT count(*)::int AS n FROM rooms r WHERE tenant_id = $1 AND member_count <> (SELECT count(*) FROM room_members m
         WHERE m.tenant_id = r.tenant_id AND m.room_id = r.room_id)`,
    );
    expect(room).toEqual({ n: 0 });
  });

  it('is done anew after a restore that has brought the user back', async () => {
    const { id, uuid } = await requested();
    await work(uuid, 500);
    const [before] = await own<{ erased_id: string }>('SELECT erased_id FROM erasures WHERE tenant_id = $1');
    // As a backup of before has it: the user, what they wrote, and no erasure.
    await own('DELETE FROM erasures WHERE tenant_id = $1');
    const { room_id } = await createRoom(tenant.as('bob'), 'group', [USER], { metadata: { owner: USER } });
    const get = <T>(type: new (...args: never[]) => T): T => nest.get(type as never, { strict: false });
    const lost = new LostErasures(
      get(ErasureFile),
      erasures(),
      get(TenantsService),
      get(UsersService),
      get(Secrets),
      nest.get<Log>(Log, { strict: false }),
    );
    await lost.look();
    await get(ErasedUsers).refresh();
    expect(refusal(await tenant.as(USER).get('/rooms'))).toEqual(FORBIDDEN);
    expect(await whenErased(app, tenant, id)).toMatchObject({ state: 'done', counts: { users: 1, memberships: 1 } });
    expect(await traces()).toEqual([]);
    expect(await own<{ erased_id: string }>('SELECT erased_id FROM erasures WHERE tenant_id = $1')).toEqual([before]);
    expect(bodyOf(await tenant.as('bob').get(`/rooms/${room_id}`))).toMatchObject({
      metadata: { owner: before?.erased_id },
    });
  });
});

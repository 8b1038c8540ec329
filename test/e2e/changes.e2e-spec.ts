import fc from 'fast-check';
import { decodeId } from '../../src/common/ids';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { cursorOf } from '../../src/platform/http';
import type { Answer, Api } from '../support/http/api';
import { allChanges, type ChangesBody, listSeqs, listAll, type MessageBody, pathOf, send } from '../support/messages';
import { until } from '../support/poll';
import {
  badField,
  bodyOf,
  createRoom,
  FORBIDDEN,
  getRoom,
  NOT_FOUND,
  refusal,
  type RoomBody,
  rolesIn,
  sendMany,
  signedIn,
} from '../support/rooms';
import { ChangesFollower, kept, type TenantChange, type TenantChangesBody } from '../support/tenant-changes';
import { uuidOf } from '../support/tenants';
import { runs } from '../support/timing';

describe('changes', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let bob: Api;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    [alice, bob] = [tenant.as('alice'), tenant.as('bob')];
  });
  afterAll(() => app.close());

  /** A room in which one of everything has happened, in this order. */
  async function eventful(): Promise<string> {
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const [first, second] = [
      await send(alice, room_id, { content: 'one', meta: { z: 1, a: 2 } }),
      await send(bob, room_id),
    ];
    await alice.post(`/rooms/${room_id}/members`, { user_ids: ['carol', 'dave'] });
    await alice.patch(pathOf(room_id, first), { content: 'edited' });
    await alice.patch(`/rooms/${room_id}/members/bob`, { role: 'admin' });
    await alice.patch(`/rooms/${room_id}`, { name: 'Team' });
    await alice.delete(`/rooms/${room_id}/members/carol`);
    await bob.delete(pathOf(room_id, second));
    return room_id;
  }

  it('are messages, edits, deletes, memberships and settings, in order of rev', async () => {
    const room = await eventful();
    const changes = await allChanges(bob, room);
    expect(changes).toMatchObject([
      { rev: 3, type: 'member.joined', user_id: 'carol', role: 'member', by: 'alice' },
      { rev: 4, type: 'member.joined', user_id: 'dave', role: 'member', by: 'alice' },
      { rev: 5, type: 'message.updated', seq: 1, content: 'edited', meta: { z: 1, a: 2 } },
      { rev: 6, type: 'member.updated', user_id: 'bob', role: 'admin', by: 'alice' },
      { rev: 7, type: 'room.updated', name: 'Team', member_count: 4 },
      { rev: 8, type: 'member.left', user_id: 'carol', role: 'member', by: 'alice' },
      { rev: 9, type: 'message.deleted', seq: 2, content: '', meta: null },
    ]);
    for (const change of changes) expect(change.room_id).toBe(room);
    expect((await getRoom(alice, room)).last_rev).toBe(9);
  });

  it('of messages carry the message as it is read elsewhere', async () => {
    const room = await eventful();
    await send(alice, room, { content: 'three', client_message_id: 'c' });
    const shown = (await allChanges(alice, room)).filter(({ type }) => type.startsWith('message'));
    const bySeq = shown.map(({ type: _type, ...message }) => message).sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
    expect(bySeq).toEqual(await listAll(alice, room));
    expect(shown.at(-1)).toMatchObject({ type: 'message', seq: 3 });
  });

  it('come in pages that hold everything once', async () => {
    const room = await eventful();
    const whole = await allChanges(alice, room);
    for (const limit of [1, 2, 3, 7, 100]) expect(await allChanges(alice, room, 0, limit)).toEqual(whole);
    const page = bodyOf(await alice.get<ChangesBody>(`/rooms/${room}/changes?limit=7`));
    expect(page).toEqual({ changes: whole, first_rev: 0, last_rev: 9, epoch: 1, has_more: false });
    const first = bodyOf(await alice.get<ChangesBody>(`/rooms/${room}/changes?limit=6`));
    expect(first).toEqual({ changes: whole.slice(0, 6), first_rev: 0, last_rev: 9, epoch: 1, has_more: true });
  });

  it('after the newest revision are none', async () => {
    const room = await eventful();
    const none = { changes: [], first_rev: 0, last_rev: 9, epoch: 1, has_more: false };
    expect(bodyOf(await alice.get(`/rooms/${room}/changes?after_rev=9`))).toEqual(none);
  });

  it('S1: after a revision that is not kept any more, or never was, cannot be told', async () => {
    const room = await eventful();
    const after = async (rev: number): Promise<unknown> =>
      bodyOf(await alice.get(`/rooms/${room}/changes?after_rev=${rev}`));
    const reset = { changes: [], first_rev: 0, last_rev: 9, epoch: 1, has_more: false, reset: true };
    for (const beyond of [10, Number.MAX_SAFE_INTEGER]) expect(await after(beyond)).toEqual(reset);
    await app.database.sql('UPDATE rooms SET first_rev = 5 WHERE room_id = $1', [decodeId('room', room)]);
    expect(await after(4)).toEqual({ ...reset, first_rev: 5 });
    expect(await after(5)).toMatchObject({ changes: [{ rev: 6 }, { rev: 7 }, { rev: 8 }, { rev: 9 }], first_rev: 5 });
    expect(await after(5)).not.toHaveProperty('reset');
  });

  it('do not include what changed nothing', async () => {
    const room = await eventful();
    const before = await getRoom(alice, room);
    await bob.delete(pathOf(room, (await listAll(alice, room))[1] ?? { message_id: '' }));
    await alice.post(`/rooms/${room}/members`, { user_ids: ['dave'] });
    await alice.patch(`/rooms/${room}/members/bob`, { role: 'admin' });
    await tenant.as('mallory').post(`/rooms/${room}/messages`, { content: 'x' });
    expect((await getRoom(alice, room)).last_rev).toBe(before.last_rev);
  });

  it('are shown to members, and of channels to everybody', async () => {
    const mallory = tenant.as('mallory');
    const { room_id: group } = await createRoom(alice, 'group');
    const { room_id: channel } = await createRoom(alice, 'channel');
    await send(alice, channel);
    expect(refusal(await mallory.get(`/rooms/${group}/changes`))).toEqual(FORBIDDEN);
    expect(refusal(await mallory.get('/rooms/room_x/changes'))).toEqual(NOT_FOUND);
    expect(await allChanges(mallory, channel)).toMatchObject([{ type: 'message' }]);
    await alice.delete(`/rooms/${group}`);
    expect(refusal(await alice.get(`/rooms/${group}/changes`))).toEqual(NOT_FOUND);
  });

  it.each(['after_rev=-1', 'after_rev=x', 'limit=0', 'limit=101'])('refuse %s', async (query) => {
    const { room_id } = await createRoom(alice, 'group');
    const field = query.split('=')[0] ?? '';
    expect(refusal(await alice.get(`/rooms/${room_id}/changes?${query}`))).toEqual(badField(field));
  });

  it('applied from any revision on lead to what the lists show', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 1, max: 9 }),
        async (operations, limit) => {
          const { room_id } = await createRoom(alice, 'group', ['bob']);
          const seen: Replica[] = [await observe(alice, room_id)];
          for (const one of operations) {
            if (one.do === 'observe') seen.push(await observe(alice, room_id));
            else await perform(tenant, room_id, one);
          }
          const now = await observe(alice, room_id);
          for (const replica of seen) {
            const changes = await allChanges(alice, room_id, replica.rev, limit);
            const revs = changes.map((change) => change.rev);
            expect(revs).toEqual([...new Set(revs)].sort((a, b) => a - b));
            for (const change of changes) apply(replica, change);
            expect(replica).toEqual(now);
          }
        },
      ),
      { numRuns: runs(12) },
    );
  });

  describe('of a tenant', () => {
    let feedTenant: TestTenant;
    let ann: Api;
    beforeEach(async () => {
      feedTenant = await app.tenant();
      ann = feedTenant.as('ann');
    });

    it('are those of all its rooms, in order of rev in each, and lead to what each room says itself', async () => {
      const follower = await ChangesFollower.begin(feedTenant.key);
      const rooms = await Promise.all([1, 2, 3].map(async () => (await createRoom(ann, 'group', ['bob'])).room_id));
      const operations = fc.sample(operation, 120).filter((one) => one.do !== 'observe');
      await Promise.all(
        rooms.map(async (room, i) => {
          for (const one of operations.filter((_, n) => n % rooms.length === i)) {
            await perform({ as: (user) => feedTenant.as(user === 'alice' ? 'ann' : user) }, room, one);
            if (one.do === 'send') await follower.read(2 + i);
          }
        }),
      );
      for (const room of rooms) {
        const whole = (await allChanges(ann, room)) as TenantChange[];
        await follower.reach(room, whole.at(-1)?.rev ?? 0, 7);
        const told = follower.of(room);
        expect([...kept(told)].sort()).toEqual([...kept(whole)].sort());
      }
      const once = await ChangesFollower.begin(feedTenant.key);
      expect(await once.read()).toEqual([]);
    });

    it('come in order, none of them twice to one who reads alone', async () => {
      const follower = await ChangesFollower.begin(feedTenant.key);
      const { room_id } = await createRoom(ann, 'group', ['bob']);
      for (let n = 1; n <= 25; n++) {
        await send(ann, room_id, { content: `${n}`, meta: { z: 1, a: 2 } });
        if (n % 5 === 0) await follower.read(1 + n / 5);
      }
      await follower.reach(room_id, (await getRoom(ann, room_id)).last_rev, 3);
      expect(follower.of(room_id).map(({ rev }) => rev)).toEqual(
        (await allChanges(ann, room_id)).map(({ rev }) => rev),
      );
      expect(follower.of(room_id)).toEqual(await allChanges(ann, room_id));
    });

    it('of a room that was deleted are that alone', async () => {
      const { room_id } = await createRoom(ann, 'group', ['bob']);
      const follower = await ChangesFollower.begin(feedTenant.key);
      await send(ann, room_id, { content: 'secret' });
      const { last_rev } = await getRoom(ann, room_id);
      await ann.delete(`/rooms/${room_id}`);
      await follower.reach(room_id, last_rev + 1);
      expect(follower.of(room_id).at(-1)).toMatchObject({ type: 'room.deleted', rev: last_rev + 1 });
      const late = await ChangesFollower.begin(feedTenant.key);
      expect(await late.read()).toEqual([]);
    });

    it('say that a room is to be read anew where it keeps less than the feed, to those who lie before', async () => {
      const { room_id } = await createRoom(ann, 'group', ['bob']);
      const [behind, ahead] = [
        await ChangesFollower.begin(feedTenant.key),
        await ChangesFollower.begin(feedTenant.key),
      ];
      for (const name of ['one', 'two']) bodyOf(await ann.patch(`/rooms/${room_id}`, { name }));
      await ahead.reach(room_id, 2);
      await app.database.sql('UPDATE rooms SET first_rev = 2 WHERE room_id = $1', [decodeId('room', room_id)]);
      await send(ann, room_id);
      for (const follower of [behind, ahead]) await follower.reach(room_id, 3);
      expect(behind.of(room_id)).toMatchObject([{ type: 'room.reset', rev: 2, room_id }, { type: 'message' }]);
      expect(new Set(ahead.of(room_id).map(({ type }) => type))).toEqual(new Set(['room.updated', 'message']));
    });

    it('are found where no node has said that they were made', async () => {
      const { room_id } = await createRoom(ann, 'group', ['bob']);
      const follower = await ChangesFollower.begin(feedTenant.key);
      const before = await send(ann, room_id);
      await follower.reach(room_id, before.seq);
      // As a server that dies right after its commit leaves it.
      const room = decodeId('room', room_id);
      await app.database.sql(
        `INSERT INTO room_events (tenant_id, room_id, rev, type, payload)
         SELECT tenant_id, room_id, last_rev + 1, 'member.joined', '{"user_id": "lost"}' FROM rooms WHERE room_id = $1`,
        [room],
      );
      await app.database.sql('UPDATE rooms SET last_rev = last_rev + 1 WHERE room_id = $1', [room]);
      await app.database.sql(
        `UPDATE tenant_feeds SET swept_at = now() - interval '2 hours' WHERE tenant_id = (SELECT tenant_id FROM rooms WHERE room_id = $1)`,
        [room],
      );
      await follower.reach(room_id, (await getRoom(ann, room_id)).last_rev);
      expect(follower.of(room_id).at(-1)).toMatchObject({ type: 'member.joined', user_id: 'lost' });
    });

    it('begin with the first call: what lies long before is not told', async () => {
      const { room_id: quiet } = await createRoom(ann, 'group');
      const { room_id: busy } = await createRoom(ann, 'group');
      for (const room of [quiet, busy]) await sendMany(ann, room, 3);
      const rooms = [quiet, busy].map((id) => decodeId('room', id));
      await app.database.sql(
        `UPDATE messages SET created_at = created_at - interval '1 day' WHERE room_id = ANY ($1)`,
        [rooms],
      );
      const follower = await ChangesFollower.begin(feedTenant.key);
      await send(ann, busy, { content: 'new' });
      await follower.reach(busy, (await getRoom(ann, busy)).last_rev);
      expect(follower.of(busy).map(({ content }) => content)).toEqual(['new']);
      await send(ann, quiet, { content: 'later' });
      await follower.reach(quiet, (await getRoom(ann, quiet)).last_rev);
      expect(follower.of(quiet).map(({ content }) => content)).toEqual(['later']);
    });

    it('that are kept no more are 410 with a fresh cursor, and so are those of another epoch and of a feed that has ended', async () => {
      const { room_id } = await createRoom(ann, 'group');
      const follower = await ChangesFollower.begin(feedTenant.key);
      await send(ann, room_id);
      const id = uuidOf(feedTenant.tenantId);
      await until(
        () => app.database.sql('SELECT 1 FROM tenant_feed WHERE tenant_id = $1', [id]),
        (rows) => rows.length > 0,
      );
      const trim = async (): Promise<void> => {
        await app.database.sql('SELECT feed_trim($1, 100)', [id]);
      };
      /** The fresh cursor has nothing behind it but what comes then. */
      const goOn = async (cursor: string): Promise<void> => {
        const { content } = { content: `after ${cursor}` };
        await send(ann, room_id, { content });
        const found = await until(
          async () => bodyOf(await feedTenant.key.get<TenantChangesBody>(`/changes?after=${cursor}`)).changes,
          (changes) => changes.length > 0,
        );
        expect(found.at(-1)).toMatchObject({ content });
      };
      const expired = async (by: Promise<Answer<unknown>>): Promise<string> => {
        const answer = await by;
        expect(refusal(answer)).toEqual({ status: 410, code: 'CURSOR_EXPIRED', field: 'after' });
        return (answer.body as { error: { details: { cursor: string } } }).error.details.cursor;
      };
      await trim();
      expect((await follower.page()).status).toBe(200);
      await app.database.sql(`UPDATE tenant_feed SET created_at = now() - interval '8 days' WHERE tenant_id = $1`, [
        id,
      ]);
      await trim();
      await goOn(await expired(follower.page()));
      await goOn(await expired(feedTenant.key.get(`/changes?after=${cursorOf([2, 0, 0])}`)));
      const now = await ChangesFollower.begin(feedTenant.key);
      await app.database.sql(`UPDATE tenant_feeds SET asked_at = now() - interval '8 days' WHERE tenant_id = $1`, [id]);
      await trim();
      const left =
        'SELECT (SELECT count(*)::int FROM tenant_feed WHERE tenant_id = $1) + (SELECT count(*)::int FROM tenant_feed_rooms WHERE tenant_id = $1) AS n';
      expect(await app.database.sql(left, [id])).toEqual([{ n: 0 }]);
      await goOn(await expired(now.page()));
    });

    it('are for keys, of their own tenant', async () => {
      const { room_id } = await createRoom(ann, 'group');
      const follower = await ChangesFollower.begin(feedTenant.key);
      await send(ann, room_id, { content: 'own' });
      await follower.reach(room_id, 1);
      const other = await ChangesFollower.begin(tenant.key);
      expect(refusal(await (await signedIn(feedTenant, 'ann', app.anonymous)).get('/changes'))).toEqual(FORBIDDEN);
      for (const [epoch, no, rev] of [
        [1, 0, 0],
        [1, 1, 0],
      ]) {
        const { status, body } = await tenant.key.get<TenantChangesBody>(
          `/changes?after=${cursorOf([epoch ?? 0, no ?? 0, rev ?? 0])}`,
        );
        if (status === 200) expect(body.changes.filter((change) => change.room_id === room_id)).toEqual([]);
      }
      expect(await other.read()).toEqual([]);
      for (const query of [
        'after=x',
        `after=${cursorOf([1, 0])}`,
        `after=${cursorOf([1, -1, 0])}`,
        'after=',
        'limit=0',
        'limit=101',
      ])
        expect(refusal(await feedTenant.key.get(`/changes?${query}`))).toEqual(badField(query.split('=')[0] ?? ''));
    });
  });
});

/** What a client keeps of a room. */
interface Replica {
  rev: number;
  name: string | null;
  readonly members: Map<string, string>;
  readonly messages: Map<string, object>;
}

type Operation =
  | { readonly do: 'send' | 'addCarol' | 'removeCarol' | 'promoteBob' | 'demoteBob' | 'rename' | 'observe' }
  | { readonly do: 'edit' | 'delete'; readonly at: number };

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('edit', 'delete'), at: fc.nat({ max: 9 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('addCarol', 'removeCarol', 'promoteBob', 'demoteBob', 'rename', 'observe'),
    }),
  },
);

async function perform(
  tenant: Pick<TestTenant, 'as'>,
  room: string,
  one: Exclude<Operation, { do: 'observe' }>,
): Promise<void> {
  const alice = tenant.as('alice');
  const members = `/rooms/${room}/members`;
  if (one.do === 'send') await send(tenant.as('bob'), room, { content: 'text', meta: { b: 1, a: [1] } });
  else if (one.do === 'addCarol') await alice.post(members, { user_ids: ['carol'] });
  else if (one.do === 'removeCarol') await alice.delete(`${members}/carol`);
  else if (one.do === 'promoteBob') await alice.patch(`${members}/bob`, { role: 'admin' });
  else if (one.do === 'demoteBob') await alice.patch(`${members}/bob`, { role: 'member' });
  else if (one.do === 'rename') await alice.patch(`/rooms/${room}`, { name: `name ${Math.random()}` });
  else if ('at' in one) {
    const { total } = await listSeqs(alice, room);
    if (total === 0) return;
    const [message] = bodyOf(
      await alice.get<MessageBody[]>(`/rooms/${room}/messages?limit=1&offset=${one.at % total}`),
    );
    const path = pathOf(room, message ?? { message_id: '' });
    if (one.do === 'delete') await alice.delete(path);
    else await tenant.as('bob').patch(path, { content: 'edited' });
  }
}

/** Nothing else happens in the room meanwhile, so the reads fit together. */
async function observe(by: Api, room: string): Promise<Replica> {
  const { last_rev, name } = await getRoom(by, room);
  const members = new Map((await rolesIn(by, room)).map((entry) => entry.split(':') as [string, string]));
  const messages = (await listAll(by, room)).map((message): [string, object] => [message.message_id, message]);
  return { rev: last_rev, name, members, messages: new Map(messages) };
}

function apply(replica: Replica, { type, ...change }: ChangesBody['changes'][number]): void {
  replica.rev = change.rev;
  if (type.startsWith('message')) replica.messages.set(change.message_id ?? '', change);
  else if (type === 'member.left') replica.members.delete(change.user_id ?? '');
  else if (type.startsWith('member')) replica.members.set(change.user_id ?? '', change.role ?? '');
  else if (type === 'room.updated') replica.name = (change as unknown as RoomBody).name;
}

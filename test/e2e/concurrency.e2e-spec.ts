import fc from 'fast-check';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import type { Answer } from '../support/http/api';
import { type AcceptedBody, isReplay, listAll, type MessageBody, pathOf, post, send } from '../support/messages';
import { createRoom, getRoom, userIds } from '../support/rooms';
import { runs } from '../support/timing';

const WRITERS = userIds('writer', 50);

describe('many at once', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  /** Sends one after the other, as a client does that waits for its answers. */
  async function inTurn<T>(count: number, run: (n: number) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (let n = 0; n < count; n++) results.push(await run(n));
    return results;
  }

  function expectGapless(messages: readonly MessageBody[]): void {
    expect(messages.map((message) => message.seq)).toEqual(messages.map((_, i) => i + 1));
    const times = messages.map((message) => message.created_at);
    expect([...times].sort()).toEqual(times);
    const ids = messages.map(({ sender_id, client_message_id }) => `${sender_id}/${client_message_id ?? ''}`);
    expect(new Set(ids).size).toBe(messages.length);
  }

  it('50 writers and their retries in one room: gapless, no duplicate, everybody told the right seq', async () => {
    const { room_id } = await createRoom(tenant.as('owner'), 'group', WRITERS);
    const answers = await Promise.all(
      WRITERS.map((writer) =>
        inTurn(10, async (n) => {
          const body = { content: `${writer} ${n}`, client_message_id: `c${n}` };
          // The second is sent before the first is answered, the third afterwards.
          const twice = await Promise.all([1, 2].map(() => post(tenant.as(writer), room_id, body)));
          return { writer, n, all: [...twice, await post(tenant.as(writer), room_id, body)] };
        }),
      ),
    );
    const messages = await listAll(tenant.as('owner'), room_id);
    expect(messages).toHaveLength(500);
    expectGapless(messages);
    for (const { writer, n, all } of answers.flat()) {
      expect(all.map((answer) => answer.status)).toEqual([201, 201, 201]);
      expect(all.map(isReplay).filter((replayed) => !replayed)).toHaveLength(1);
      const at = messages[(all[0]?.body.seq ?? 0) - 1];
      expect(at).toMatchObject({ sender_id: writer, content: `${writer} ${n}`, message_id: all[0]?.body.message_id });
      for (const answer of all) expect(answer.body).toEqual(all[0]?.body);
    }
    for (const writer of WRITERS.slice(0, 5))
      expect(messages.filter((m) => m.sender_id === writer).map((m) => m.client_message_id)).toEqual(
        Array.from({ length: 10 }, (_, n) => `c${n}`),
      );
  });

  it('writers in 40 rooms of two tenants: each room has its own 1…N', async () => {
    const tenants = [tenant, await app.tenant()];
    const rooms = await Promise.all(
      tenants.flatMap((of) =>
        Array.from({ length: 20 }, async () => ({
          by: of.as('alice'),
          id: (await createRoom(of.as('alice'), 'group')).room_id,
        })),
      ),
    );
    const seqs = await Promise.all(
      rooms.map(({ by, id }) => inTurn(8, async (n) => (await send(by, id, { content: `${n}` })).seq)),
    );
    expect(seqs).toEqual(rooms.map(() => [1, 2, 3, 4, 5, 6, 7, 8]));
    for (const { by, id } of rooms.slice(0, 3))
      expect((await listAll(by, id)).map((m) => m.content)).toEqual([...'01234567']);
  });

  it('the same id with different bodies: one of them is stored, the others are told so', async () => {
    const alice = tenant.as('alice');
    const { room_id } = await createRoom(alice, 'group');
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => post(alice, room_id, { content: `${n % 3}`, client_message_id: 'same' })),
    );
    const [stored, ...others] = await listAll(alice, room_id);
    expect(others).toEqual([]);
    const statuses = (n: number): Set<number> =>
      new Set(answers.filter((_, i) => i % 3 === n).map((answer: Answer<AcceptedBody>) => answer.status));
    for (const n of [0, 1, 2]) expect(statuses(n)).toEqual(new Set([String(n) === stored?.content ? 201 : 422]));
  });

  it('sends, edits, deletes and memberships together leave no gap in rev', async () => {
    const alice = tenant.as('alice');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('send', 'edit', 'delete', 'join', 'name'), { minLength: 20, maxLength: 40 }),
        async (kinds) => {
          const { room_id } = await createRoom(alice, 'group');
          const targets = await inTurn(kinds.length, () => send(alice, room_id));
          const answers = await Promise.all(
            kinds.map((kind, n) => {
              const path = pathOf(room_id, targets[n] ?? { message_id: '' });
              if (kind === 'send') return post(alice, room_id, { content: 'x' });
              if (kind === 'edit') return alice.patch(path, { content: 'edited' });
              if (kind === 'delete') return alice.delete(path);
              if (kind === 'join') return alice.post(`/rooms/${room_id}/members`, { user_ids: [`user${n}`] });
              return alice.patch(`/rooms/${room_id}`, { name: `name ${n}` });
            }),
          );
          expect(answers.filter((answer) => answer.status >= 300)).toEqual([]);
          expect((await getRoom(alice, room_id)).last_rev).toBe(2 * kinds.length);
          const revs = await app.database.sql<{ rev: number }>(
            `SELECT rev::int FROM messages WHERE room_id = $1 UNION ALL SELECT rev::int FROM room_events WHERE room_id = $1`,
            [room_id.slice('room_'.length)],
          );
          const replaced = kinds.filter((kind) => kind === 'edit' || kind === 'delete').length;
          expect(new Set(revs.map((row) => row.rev)).size).toBe(2 * kinds.length - replaced);
          expect(revs).toHaveLength(2 * kinds.length - replaced);
        },
      ),
      { numRuns: runs(5) },
    );
  });
});

import { ChatCrashFixture, LEASE_MS, readTo } from '../support/chats/crash-fixture';
import { createChat, messagesOf, say, sayStreaming } from '../support/chats/http';
import { AnswerGate } from '../support/fake-model';
import { until } from '../support/poll';
import { Servers } from '../support/server-process';

const CHATS = 5;

const servers = new Servers();
let site: ChatCrashFixture;
beforeAll(async () => (site = await ChatCrashFixture.start(servers)));
afterAll(async () => {
  await site.model.stop();
  await servers.cleanUp();
});

interface Row {
  readonly charge_id: string;
  readonly tokens: number | null;
  readonly total_tokens: number | null;
}

/** All charges, each with what its run says that it used. */
const charges = (): Promise<Row[]> =>
  site.victim.sql<Row>(
    `SELECT c.charge_id, c.tokens::int, r.total_tokens::int FROM charges c
     LEFT JOIN runs r ON r.tenant_id = c.tenant_id AND r.run_id = c.charge_id ORDER BY c.created_at`,
  );

it('kill -9 with open reservations: each is charged once, with the end of its run, and none stays reserved', async () => {
  const { key, victim, model } = site;
  await victim.sql(`UPDATE tenants SET limits = limits || '{"tokens_per_day": 1000000}' WHERE name = 'served'`);
  const gate = new AnswerGate();
  const chats = await Promise.all(Array.from({ length: CHATS }, () => createChat(key)));
  // The last says nothing before the server dies: it costs nothing.
  model.next(
    ...chats.map((_, n) => ({ steps: [...(n < CHATS - 1 ? ['One ', 'two '] : []), { hold: gate }, 'three'] })),
  );
  for (const [n, { id }] of chats.entries()) {
    const stream = await sayStreaming(key, id, 'first');
    await model.request(n + 1);
    if (n < CHATS - 1) await readTo(stream, 'One two ');
    stream.cut();
  }
  const open = await until(charges, (rows) => rows.length === CHATS);
  expect(open.every(({ tokens }) => tokens === null)).toBe(true);
  await victim.killServer();
  for (const { id } of chats)
    await until(
      () => messagesOf(key, id).catch(() => []),
      (all) => all.length === 2,
      LEASE_MS,
    );
  gate.open();

  const ended = await charges();
  expect(ended.map(({ charge_id }) => charge_id)).toEqual(open.map(({ charge_id }) => charge_id));
  expect(ended.map(({ tokens }) => tokens)).toEqual(ended.map(({ total_tokens }) => total_tokens));
  expect(ended.filter(({ tokens }) => tokens === 0)).toHaveLength(1);
  // Exactly what is left by these figures can be had: nothing more was charged, and nothing is held.
  const spent = ended.reduce((sum, { tokens }) => sum + (tokens ?? Infinity), 0);
  const [first] = chats;
  const fresh = await createChat(key);
  await victim.sql(`UPDATE tenants SET limits = limits || jsonb_build_object('tokens_per_day', $1::int)`, spent + 60);
  model.next({ steps: ['x'.repeat(400)], usage: null });
  expect((await say(key, fresh.id, 'Hello')).body.answer.content).toHaveLength((60 - 9) * 4);
  expect((await say(key, first?.id ?? '', 'Hello')).status).toBe(429);
});

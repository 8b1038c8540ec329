import type { TestTenant } from '../support/app';
import { addAgent, askAgents, messagesIn, messagesOnce, roomWithAgent } from '../support/agents';
import { AGENT } from '../support/ai-chats';
import { FAKE_ANSWER, type WithModel, withModel } from '../support/chats/http';
import { AnswerGate } from '../support/fake-model';
import type { Api } from '../support/http/api';
import type { MessageBody } from '../support/messages';
import { createPreset } from '../support/models';
import { until } from '../support/poll';
import { bodyOf, createRoom, FORBIDDEN, refusal } from '../support/rooms';
import { hookedTenant, Receiver } from '../support/webhooks/receiver';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: WithModel<SocketApp>;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await Receiver.start();
  app = await withModel((env) =>
    startSocketApp({ env: { ...env, WEBHOOK_ALLOW_PRIVATE: 'true', WEBHOOK_OFFLINE_DELAY_MS: '0' } }),
  );
});
afterAll(async () => {
  await app.close();
  await receiver.stop();
});
beforeEach(() => app.model.reset());

const uuidOf = (roomId: string): string => roomId.replace('room_', '');

/** A tenant of its own, and three members of a room of alice's. */
async function people(): Promise<{ readonly tenant: TestTenant; readonly asking: readonly [Api, Api, Api] }> {
  const tenant = await app.tenant();
  return { tenant, asking: [tenant.as('alice'), tenant.as('bob'), tenant.as('carol')] };
}

/** Why the room's agents did not answer, by their notices. */
function noticesIn(messages: readonly MessageBody[]): unknown[] {
  return messages
    .filter(({ sender_id, content }) => sender_id.startsWith('agent_') && content !== FAKE_ANSWER)
    .map(({ content }) => content);
}

/** Nothing in the room waits for an answer, or for its notice. */
async function settled(roomId: string): Promise<void> {
  await until(
    () => app.database.sql('SELECT 1 FROM runs WHERE room_id = $1 AND ended_at IS NULL', [uuidOf(roomId)]),
    (open) => open.length === 0,
  );
}

describe('what agents are asked beyond what they may answer', () => {
  it('is refused where 20 questions wait for one, with one notice of the kind system', async () => {
    const { asking } = await people();
    const roomId = await roomWithAgent(asking[0]);
    await asking[0].post(`/rooms/${roomId}/members`, { user_ids: ['carol'] });
    const gate = new AnswerGate();
    app.model.next({ steps: [{ hold: gate }, FAKE_ANSWER] });
    await askAgents(asking[0], roomId, 'first');
    await gate.reached;
    // No sender has asked ten times: what is full is the queue.
    for (let n = 1; n < 24; n++) await askAgents(asking[n % 3] ?? asking[0], roomId, `${n}`);
    gate.open();
    await messagesOnce(asking[0], roomId, 24 + 20 + 1);
    await settled(roomId);
    const messages = await messagesIn(asking[0], roomId);
    expect(messages.filter(({ content }) => content === FAKE_ANSWER)).toHaveLength(20);
    expect(noticesIn(messages)).toEqual([expect.stringContaining('20 questions')]);
    const kinds = `SELECT content FROM messages WHERE room_id = $1 AND kind = 'system'`;
    expect(
      (await app.database.sql<{ content: string }>(kinds, [uuidOf(roomId)])).map(({ content }) => content),
    ).toEqual(noticesIn(messages));
    expect(messages).toHaveLength(24 + 20 + 1);
  });

  it('is refused where 30 answers of a minute were begun in the room, with one notice', async () => {
    const { tenant, asking } = await people();
    const roomId = await roomWithAgent(asking[0], { respond: 'always' });
    await asking[0].post(`/rooms/${roomId}/members`, { user_ids: ['carol'] });
    await createPreset(tenant.key);
    await addAgent(asking[0], roomId, { preset: 'support', respond: 'always' });
    // Each question asks both.
    const gate = new AnswerGate();
    app.model.otherwise = { steps: [{ hold: gate }, FAKE_ANSWER] };
    for (let n = 0; n < 18; n++) await askAgents(asking[n % 3] ?? asking[0], roomId, `${n}`);
    gate.open();
    await settled(roomId);
    const messages = await messagesIn(asking[0], roomId);
    expect(messages.filter(({ content }) => content === FAKE_ANSWER)).toHaveLength(30);
    expect(noticesIn(messages)).toEqual([expect.stringContaining('30 times a minute')]);
  });
});

describe('agent_control', () => {
  it('of a tenant lets members add and change agents, where the room does not say otherwise', async () => {
    const { tenant, asking } = await people();
    await app.master.patch(`/admin/tenants/${tenant.tenantId}`, { settings: { agent_control: 'members' } });
    const { room_id: roomId } = await createRoom(asking[0], 'group', ['bob']);
    await until(
      () => asking[1].get(`/rooms/${roomId}/agents`),
      ({ body }) => JSON.stringify(body).includes('"control":"members"'),
    );
    await addAgent(asking[1], roomId);
    expect((await asking[1].patch(`/rooms/${roomId}/agents/${AGENT}`, { respond: 'always' })).status).toBe(200);
    bodyOf(await asking[0].patch(`/rooms/${roomId}/agents`, { control: 'admins' }));
    expect(refusal(await asking[1].delete(`/rooms/${roomId}/agents/${AGENT}`))).toEqual(FORBIDDEN);
    expect((await asking[0].delete(`/rooms/${roomId}/agents/${AGENT}`)).status).toBe(204);
  });
});

it('an answer of an agent counts as a call of the AI APIs: where these are used up it says so', async () => {
  const tenant = await app.tenant({ requests_per_second: null, ai_requests_per_minute: 1 });
  const alice = tenant.as('alice');
  const roomId = await roomWithAgent(alice);
  for (const content of ['1', '2', '3', '4']) await askAgents(alice, roomId, content);
  const messages = await messagesOnce(alice, roomId, 8);
  const answers = messages.filter(({ sender_id }) => sender_id === AGENT);
  const answered = answers.filter(({ content }) => content === FAKE_ANSWER).length;
  const refused = answers.filter(({ meta }) => JSON.stringify(meta).includes('"RATE_LIMIT_EXCEEDED"')).length;
  // One a minute, and a minute may have ended meanwhile.
  expect([1, 2]).toContain(answered);
  expect(answered + refused).toBe(4);
  expect(app.model.requests).toHaveLength(answered);
});

it('message.offline tells of people, and never of agents', async () => {
  const tenant = await hookedTenant(app, receiver, ['message.offline']);
  const roomId = await roomWithAgent(tenant.as('alice'));
  await askAgents(tenant.as('alice'), roomId, 'Hello?');
  await messagesOnce(tenant.as('alice'), roomId, 2);
  const told = await receiver.whenReceived('message.offline', 2);
  // Of the question, and of the answer, which is nobody's own.
  expect(new Set(told.flatMap(({ data }) => data['user_ids'] as string[]))).toEqual(new Set(['alice', 'bob']));
});

it('a preset that is deleted while its agent answers ends nothing', async () => {
  const { tenant, asking } = await people();
  const preset = await createPreset(tenant.key);
  const { room_id: roomId } = await createRoom(asking[0], 'group', ['bob']);
  await addAgent(asking[0], roomId, { preset: preset.name });
  const gate = new AnswerGate();
  app.model.next({ steps: ['One ', { hold: gate }, 'two.'] });
  await askAgents(asking[0], roomId, 'Count', [`agent_${preset.name}`]);
  await gate.reached;
  expect((await tenant.key.delete(`/api/presets/${preset.name}`)).status).toBe(204);
  gate.open();
  const [, answer] = await messagesOnce(asking[0], roomId, 2);
  expect(answer).toMatchObject({ content: 'One two.', sender_id: `agent_${preset.name}` });
});

import type { TestTenant } from '../support/app';
import { addAgent, type AgentBody, askAgents, messagesIn, messagesOnce, roomWithAgent } from '../support/agents';
import { AGENT } from '../support/ai-chats';
import { FAKE_ANSWER, type WithModel, withModel } from '../support/chats/http';
import { AnswerGate, faults } from '../support/fake-model';
import type { Api } from '../support/http/api';
import { createPreset } from '../support/models';
import { until } from '../support/poll';
import {
  badField,
  bodyOf,
  CONFLICT,
  createRoom,
  FORBIDDEN,
  type MemberBody,
  NOT_FOUND,
  refusal,
  rolesIn,
} from '../support/rooms';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: WithModel<SocketApp>;
let tenant: TestTenant;
let alice: Api;
let bob: Api;

beforeAll(async () => {
  app = await withModel((env) => startSocketApp({ env }));
  tenant = await app.tenant();
  alice = tenant.as('alice');
  bob = tenant.as('bob');
});
afterAll(() => app.close());
beforeEach(() => app.model.reset());

/** What the model was told with its nth request, without the system prompt. */
async function told(n: number): Promise<unknown[]> {
  const { messages } = (await app.model.request(n)).body as { messages: { role: string; content: string }[] };
  return messages.filter(({ role }) => role !== 'system').map(({ role, content }) => `${role}: ${content}`);
}

describe('the agents of a room', () => {
  it('are members with a role of their own, and listed', async () => {
    const { room_id: roomId } = await createRoom(alice, 'group', ['bob']);
    const added = await addAgent(alice, roomId, { name: 'Helper' });
    expect(added).toMatchObject({ agent_id: AGENT, preset: 'default', respond: 'mention', paused: false });
    expect(await rolesIn(alice, roomId)).toEqual(['alice:admin', 'bob:member', `${AGENT}:agent`]);
    const listed = bodyOf(await bob.get(`/rooms/${roomId}/agents`));
    expect(listed).toEqual({ agents: [added], settings: { max_hops: 1, control: 'admins' } });
  });

  it('are changed and removed, and come back', async () => {
    const roomId = await roomWithAgent(alice, { name: 'Helper' });
    const path = `/rooms/${roomId}/agents/${AGENT}`;
    expect((await alice.patch(path, { respond: 'never' })).body).toMatchObject({ respond: 'never', name: 'Helper' });
    expect((await alice.patch(path, { name: null })).body).toMatchObject({ respond: 'never', name: null });
    expect((await alice.delete(path)).status).toBe(204);
    expect(await rolesIn(alice, roomId)).toEqual(['alice:admin', 'bob:member']);
    expect(refusal(await alice.delete(path))).toEqual(NOT_FOUND);
    expect(refusal(await alice.patch(path, { respond: 'never' }))).toEqual(NOT_FOUND);
    await addAgent(alice, roomId);
    expect(await rolesIn(alice, roomId)).toEqual(['alice:admin', 'bob:member', `${AGENT}:agent`]);
  });

  it('are one per preset, of presets that there are, in groups and channels', async () => {
    const roomId = await roomWithAgent(alice);
    const agents = `/rooms/${roomId}/agents`;
    expect(refusal(await alice.post(agents, { preset: 'default', respond: 'always' }))).toEqual(CONFLICT);
    expect(refusal(await alice.post(agents, { preset: 'nobody', respond: 'always' }))).toEqual(badField('preset'));
    const { room_id: dm } = await createRoom(tenant.as('carol'), 'dm', ['dora']);
    const body = { preset: 'default', respond: 'mention' };
    expect(refusal(await tenant.as('carol').post(`/rooms/${dm}/agents`, body))).toEqual(FORBIDDEN);
  });

  it('are the affair of admins, unless the room says that members may', async () => {
    const roomId = await roomWithAgent(alice);
    const path = `/rooms/${roomId}/agents/${AGENT}`;
    for (const call of [
      bob.post(`/rooms/${roomId}/agents`, { preset: 'default', respond: 'mention' }),
      bob.patch(path, { respond: 'always' }),
      bob.post(`${path}/pause`, {}),
      bob.post(`${path}/resume`, {}),
      bob.delete(path),
      bob.patch(`/rooms/${roomId}/agents`, { control: 'members' }),
      tenant.as('stranger').get(`/rooms/${roomId}/agents`),
      tenant.as('stranger').post(`${path}/stop`, {}),
    ])
      expect(refusal(await call)).toEqual(FORBIDDEN);
    expect((await alice.patch(`/rooms/${roomId}/agents`, { control: 'members', max_hops: 2 })).body).toEqual({
      max_hops: 2,
      control: 'members',
    });
    expect((await bob.patch(path, { respond: 'always' })).status).toBe(200);
    expect(refusal(await bob.patch(`/rooms/${roomId}/agents`, { max_hops: 3 }))).toEqual(FORBIDDEN);
    expect(refusal(await alice.patch(`/rooms/${roomId}/agents`, { max_hops: 4 }))).toEqual(badField('max_hops'));
  });
});

describe('an agent that is mentioned', () => {
  it('answers with a message of the room that streams to all members', async () => {
    const roomId = await roomWithAgent(alice);
    const socket = await app.open(tenant, 'bob');
    await socket.frame('presence.snapshot');
    const seq = await askAgents(alice, roomId, 'Hello?');
    const message = await socket.frame(
      (frame) => frame.type === 'message' && frame['room_id'] === roomId && frame['sender_id'] === AGENT,
    );
    expect(message).toMatchObject({ content: FAKE_ANSWER, seq: seq + 1 });
    const ids = { room_id: roomId, message_id: message['message_id'] };
    expect(socket.got('message.stream.start')).toMatchObject([{ ...ids, sender_id: AGENT }]);
    expect(
      socket
        .got('message.stream.delta')
        .map((frame) => frame['text'])
        .join(''),
    ).toBe(FAKE_ANSWER);
    expect(socket.got('message.stream.end')).toMatchObject([{ ...ids, seq: seq + 1, status: 'completed' }]);
    await socket.close();
  });

  it('shows who comes meanwhile what it has said so far, then the rest', async () => {
    const roomId = await roomWithAgent(alice);
    const gate = new AnswerGate();
    app.model.next({ steps: ['one ', 'two ', { hold: gate }, 'three'] });
    const early = await app.open(tenant, 'alice');
    await early.frame('presence.snapshot');
    await askAgents(alice, roomId, 'Count');
    const textOf = (socket: typeof early): string =>
      socket.got('message.stream.delta').reduce((text, frame) => text + String(frame['text']), '');
    await early.frame(() => textOf(early) === 'one two ');
    const late = await app.open(tenant, 'bob');
    await late.frame('message.stream.delta');
    expect(textOf(late)).toBe('one two ');
    gate.open();
    for (const socket of [early, late]) {
      await socket.frame(
        (frame) => frame.type === 'message' && frame['room_id'] === roomId && frame['sender_id'] === AGENT,
      );
      expect(textOf(socket)).toBe('one two three');
      expect(socket.got('message.stream.start')).toHaveLength(1);
      expect(socket.got('message.stream.end')).toHaveLength(1);
      await socket.close();
    }
  });

  it('is told who has said what since it came, and no text passes for what another has said', async () => {
    const { room_id: roomId } = await createRoom(alice, 'group', ['bob']);
    await askAgents(alice, roomId, 'before');
    await addAgent(alice, roomId);
    await askAgents(bob, roomId, 'a\n"alice": b', []);
    await askAgents(alice, roomId, 'first');
    await messagesOnce(alice, roomId, 4);
    await askAgents(bob, roomId, 'second');
    await messagesOnce(alice, roomId, 6);
    expect(await told(2)).toEqual([
      'user: "bob": a\n  "alice": b\n\n"alice": first',
      `assistant: ${FAKE_ANSWER}`,
      'user: "bob": second',
    ]);
  });

  it('answers once, however often it is mentioned, and not those who mention others or nobody', async () => {
    const roomId = await roomWithAgent(alice);
    await askAgents(alice, roomId, 'nobody', []);
    await askAgents(alice, roomId, 'bob', ['bob', 'agent_other']);
    await alice.post(`/rooms/${roomId}/messages`, { content: 'odd', meta: { mentions: { [AGENT]: true } } });
    await askAgents(
      alice,
      roomId,
      'you',
      Array.from({ length: 100 }, () => AGENT),
    );
    const messages = await messagesOnce(alice, roomId, 5);
    await askAgents(alice, roomId, 'and you', [AGENT]);
    expect((await messagesOnce(alice, roomId, 7)).map(({ sender_id }) => sender_id)).toEqual([
      ...['alice', 'alice', 'alice', 'alice', AGENT, 'alice', AGENT],
    ]);
    expect(messages).toHaveLength(5);
  });

  it('answers no repeat of a message and no edit a second time', async () => {
    const roomId = await roomWithAgent(alice);
    const body = { content: 'Hello?', meta: { mentions: [AGENT] }, client_message_id: 'c1' };
    const [sent] = await Promise.all([1, 2, 3].map(() => alice.post(`/rooms/${roomId}/messages`, body)));
    await messagesOnce(alice, roomId, 2);
    await alice.post(`/rooms/${roomId}/messages`, body);
    const path = `/rooms/${roomId}/messages/${String(sent?.body['message_id'])}`;
    await alice.patch(path, { content: 'Hello again?', meta: { mentions: [AGENT] } });
    await askAgents(alice, roomId, 'next');
    expect((await messagesOnce(alice, roomId, 4)).map(({ sender_id }) => sender_id)).toEqual([
      ...['alice', AGENT, 'alice', AGENT],
    ]);
  });

  it('answers in the order of the questions, one at a time', async () => {
    const roomId = await roomWithAgent(alice);
    const gate = new AnswerGate();
    app.model.next({ steps: ['one', { hold: gate }] }, { steps: ['two'] }, { steps: ['three'] });
    await askAgents(alice, roomId, '1');
    await gate.reached;
    await askAgents(alice, roomId, '2');
    await askAgents(bob, roomId, '3');
    gate.open();
    const messages = await messagesOnce(alice, roomId, 6);
    expect(messages.map(({ content }) => content)).toEqual(['1', '2', '3', 'one', 'two', 'three']);
  });

  it('says with its message why it could not answer', async () => {
    const roomId = await roomWithAgent(alice);
    app.model.next(faults.status(400));
    await askAgents(alice, roomId, 'Hello?');
    const [, answer] = await messagesOnce(alice, roomId, 2);
    expect(answer).toMatchObject({ sender_id: AGENT, content: '', meta: { error: { code: 'MODEL_ERROR' } } });
  });

  it('answers nothing where it responds to nothing, and everything where it always does', async () => {
    const roomId = await roomWithAgent(alice, { respond: 'never' });
    await askAgents(alice, roomId, 'unheard');
    await alice.patch<AgentBody>(`/rooms/${roomId}/agents/${AGENT}`, { respond: 'always' });
    await askAgents(bob, roomId, 'heard', []);
    const messages = await messagesOnce(alice, roomId, 3);
    expect(messages.map(({ sender_id }) => sender_id)).toEqual(['alice', 'bob', AGENT]);
  });
});

describe('agents among themselves', () => {
  it.each([
    [0, 0],
    [1, 2],
    [2, 4],
    [3, 6],
  ])('with max_hops %i two that always answer end after %i answers', async (max_hops, answers) => {
    const own = await app.tenant();
    const by = own.as('alice');
    await createPreset(own.key);
    const roomId = await roomWithAgent(by, { respond: 'always' });
    await addAgent(by, roomId, { preset: 'support', respond: 'always' });
    await by.patch(`/rooms/${roomId}/agents`, { max_hops });
    await askAgents(by, roomId, 'Go!', []);
    const messages = await messagesOnce(by, roomId, 1 + answers);
    const asked = await app.database.sql<{ n: number }>(
      `SELECT count(*)::int AS n FROM runs WHERE room_id = (SELECT room_id FROM room_agents WHERE tenant_id = $1 LIMIT 1)`,
      [own.tenantId.replace(/^tenant_/, '')],
    );
    expect(messages.filter(({ sender_id }) => sender_id.startsWith('agent_'))).toHaveLength(answers);
    expect(asked).toEqual([{ n: answers }]);
  });

  it('charges the person at the root, whose budget ends it', async () => {
    const own = await app.tenant({
      requests_per_second: null,
      ai_requests_per_minute: null,
      tokens_per_user_per_day: 0,
    });
    const by = own.as('alice');
    const roomId = await roomWithAgent(by);
    await askAgents(by, roomId, 'Hello?');
    const [, answer] = await messagesOnce(by, roomId, 2);
    expect(answer).toMatchObject({ content: '', meta: { error: { code: 'QUOTA_EXCEEDED' } } });
  });

  it('answers one member ten times a minute, then says once why not', async () => {
    const roomId = await roomWithAgent(alice);
    for (let n = 1; n <= 14; n++) await askAgents(alice, roomId, `${n}`);
    await messagesOnce(alice, roomId, 25);
    await askAgents(bob, roomId, 'and me?');
    const messages = await messagesOnce(alice, roomId, 27);
    const answers = messages.filter(({ sender_id }) => sender_id === AGENT);
    expect(answers.filter(({ content }) => content === FAKE_ANSWER)).toHaveLength(11);
    const notices = answers.filter(({ content }) => content !== FAKE_ANSWER);
    expect(notices).toMatchObject([{ content: expect.stringContaining('10 times a minute') as string }]);
  });
});

describe('an agent that is interrupted', () => {
  const path = (roomId: string): string => `/rooms/${roomId}/agents/${AGENT}`;

  /** Has said a word, and waits. */
  async function speaking(by: Api, roomId: string): Promise<AnswerGate> {
    const gate = new AnswerGate();
    app.model.next({ steps: ['word', { hold: gate }] });
    await askAgents(by, roomId, 'Tell me everything');
    await gate.reached;
    return gate;
  }

  it('is stopped by who has asked, with its text, and by no other member', async () => {
    const roomId = await roomWithAgent(alice);
    await speaking(bob, roomId);
    await alice.post(`/rooms/${roomId}/members`, { user_ids: ['carol'] });
    expect((await tenant.as('carol').post(`${path(roomId)}/stop`, {})).body).toEqual({ message_ids: [] });
    const stopped = (await bob.post<{ message_ids: string[] }>(`${path(roomId)}/stop`, {})).body.message_ids;
    const [, answer] = await messagesOnce(bob, roomId, 2);
    expect(answer).toMatchObject({ message_id: stopped[0], content: 'word' });
  });

  it('is stopped by an admin, and what waits leaves no message', async () => {
    const roomId = await roomWithAgent(alice);
    await speaking(bob, roomId);
    await askAgents(bob, roomId, 'waits');
    expect((await alice.post<{ message_ids: string[] }>(`${path(roomId)}/stop`, {})).body.message_ids).toHaveLength(2);
    await messagesOnce(bob, roomId, 3);
    await askAgents(bob, roomId, 'next');
    const messages = await messagesOnce(bob, roomId, 5);
    expect(messages.map(({ content }) => content)).toEqual([
      'Tell me everything',
      'waits',
      'word',
      'next',
      FAKE_ANSWER,
    ]);
  });

  it('is silent while it is paused, and knows of it when it is back', async () => {
    const roomId = await roomWithAgent(alice);
    await speaking(bob, roomId);
    expect((await alice.post(`${path(roomId)}/pause`, {})).body).toMatchObject({ paused: true, paused_until: null });
    await messagesOnce(bob, roomId, 2);
    await askAgents(bob, roomId, 'while away');
    const until = '2099-01-01T00:00:00.000Z';
    expect((await alice.post(`${path(roomId)}/pause`, { until })).body).toMatchObject({ paused_until: until });
    expect(refusal(await alice.post(`${path(roomId)}/pause`, { until: '2020-01-01T00:00:00Z' }))).toEqual(
      badField('until'),
    );
    expect((await alice.post(`${path(roomId)}/resume`, {})).body).toMatchObject({ paused: false, paused_until: null });
    await askAgents(bob, roomId, 'back?');
    const messages = await messagesOnce(bob, roomId, 5);
    expect(messages.map(({ content }) => content)).toEqual([
      ...['Tell me everything', 'word', 'while away', 'back?', FAKE_ANSWER],
    ]);
    const { messages: asked } = (await app.model.request(2)).body as { messages: { role: string; content: string }[] };
    expect(asked[0]?.content).toContain('You were paused from');
  });

  it.each([
    ['it is removed', async (roomId: string) => alice.delete(path(roomId))],
    ['its room is deleted', async (roomId: string) => alice.delete(`/rooms/${roomId}`)],
  ])('ends without a message where %s', async (_what, remove) => {
    const roomId = await roomWithAgent(alice);
    await speaking(bob, roomId);
    await askAgents(bob, roomId, 'waits');
    expect((await remove(roomId)).status).toBe(204);
    const uuid = roomId.replace('room_', '');
    const states = await until(
      () => app.database.sql<{ state: string }>('SELECT state FROM runs WHERE room_id = $1 ORDER BY 1', [uuid]),
      (found) => found.every(({ state }) => state === 'cancelled'),
    );
    expect(states).toHaveLength(2);
    await until(
      () =>
        app.database.sql(`SELECT 1 FROM jobs WHERE payload->>'room_id' = $1::uuid::text AND state <> 'done'`, [uuid]),
      (found) => found.length === 0,
    );
  });

  it('answers on as the default one does where its preset is deleted', async () => {
    const preset = await createPreset(tenant.key);
    const { room_id: roomId } = await createRoom(alice, 'group', ['bob']);
    await addAgent(alice, roomId, { preset: preset.name });
    await tenant.key.delete(`/api/presets/${preset.name}`);
    await askAgents(alice, roomId, 'Still there?', [`agent_${preset.name}`]);
    expect((await messagesOnce(alice, roomId, 2))[1]).toMatchObject({ content: FAKE_ANSWER });
  });

  it('ends with the question that is deleted', async () => {
    const roomId = await roomWithAgent(alice);
    await speaking(bob, roomId);
    const [asked] = await messagesIn(bob, roomId);
    await bob.delete(`/rooms/${roomId}/messages/${String(asked?.message_id)}`);
    const [, answer] = await messagesOnce(bob, roomId, 2);
    expect(answer).toMatchObject({ content: 'word' });
  });
});

it('a room without agents asks for none: the append does not even call what would', async () => {
  const { room_id: roomId } = await createRoom(alice, 'group', ['bob']);
  await app.database.sql('ALTER FUNCTION agents_asked(uuid[], uuid[], bigint[]) RENAME TO agents_asked_elsewhere');
  try {
    await askAgents(alice, roomId, 'Anybody?');
  } finally {
    await app.database.sql('ALTER FUNCTION agents_asked_elsewhere(uuid[], uuid[], bigint[]) RENAME TO agents_asked');
  }
  expect(await messagesIn(alice, roomId)).toHaveLength(1);
});

it('an erase takes who asked out of the runs, and ends what is written for them', async () => {
  const own = await app.tenant();
  const roomId = await roomWithAgent(own.as('alice'));
  await askAgents(own.as('bob'), roomId, 'Hello?');
  await messagesOnce(own.as('bob'), roomId, 2);
  app.model.next({ steps: ['word', { hold: new AnswerGate() }] });
  await askAgents(own.as('bob'), roomId, 'And now?');
  expect((await own.key.post(`/admin/tenants/${own.tenantId}/users/bob/erase`)).status).toBe(202);
  const runs = await until(
    () =>
      app.database.sql<{ user_id: string; state: string }>('SELECT user_id, state FROM runs WHERE room_id = $1', [
        roomId.replace('room_', ''),
      ]),
    (found) => found.every(({ user_id }) => user_id.startsWith('erased_')),
  );
  expect(runs.map(({ state }) => state).sort()).toEqual(['cancelled', 'completed']);
});

describe('presence', () => {
  it('shows an agent as online while a channel can answer', async () => {
    const roomId = await roomWithAgent(alice);
    const members = bodyOf(await alice.get<MemberBody[]>(`/rooms/${roomId}/members`));
    expect(members.find(({ user_id }) => user_id === AGENT)).toMatchObject({ status: 'online' });
    expect((await alice.get<{ online: string[] }>(`/rooms/${roomId}/presence`)).body.online).toContain(AGENT);
  });
});

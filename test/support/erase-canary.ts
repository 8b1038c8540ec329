import type { TestTenant } from './app';
import { ask, createChat } from './chats/http';
import { chunksOf, postUi, uiBody } from './chats/ui';
import { pathOf, send } from './messages';
import type { Api } from './http/api';
import { notify } from './notifications';
import { bodyOf, createRoom } from './rooms';

/** Hard on whatever looks for it: JSON escapes it, a dm's key and a path encode it, and it is the beginning of another. */
export const USER = 'zo"e:7f3c1d';
export const OTHER = `${USER}-junior`;
/** Stands in every form of the id: quoted, encoded. */
const ID_MARK = '7f3c1d';
export const CANARY = 'C4N4RY';

/** A trace of the user in a text: of what they wrote, or of their id in whatever form, and not of OTHER's. */
export const TRACE = `${CANARY}|${ID_MARK}(?!-junior)`;

/** Rooms that the user was in. */
export interface Places {
  readonly group: string;
  readonly bobs: string;
  readonly dm: string;
  readonly left: string;
}

const idempotent = (key: string): { headers: Record<string, string> } => ({ headers: { 'idempotency-key': key } });

/** The canary, in every place that takes a text from a user; the id, in every place where a call may name one. */
export async function writeEverywhere(tenant: TestTenant): Promise<Places> {
  const [zoe, bob] = [tenant.as(USER), tenant.as('bob')];
  const me = encodeURIComponent(USER);
  const named = { name: CANARY, metadata: { [CANARY]: { note: CANARY }, owner: USER } };
  const { room_id: group } = bodyOf(
    await zoe.post<{ room_id: string }>(
      '/rooms',
      { type: 'group', members: ['bob', OTHER], ...named },
      idempotent(CANARY),
    ),
    201,
  );
  const { room_id: bobs } = await createRoom(bob, 'group', [USER, OTHER], {
    name: 'of bob',
    metadata: { owner: USER },
  });
  const { room_id: dm } = await createRoom(zoe, 'dm', ['bob'], named);
  const { room_id: left } = await createRoom(bob, 'channel', [USER]);
  bodyOf(await bob.patch(`/rooms/${left}/members/${me}`, { role: 'admin' }));
  bodyOf(await bob.post(`/rooms/${bobs}/members`, { user_ids: [USER, 'carol'] }, idempotent('adds')));
  bodyOf(await zoe.patch(`/rooms/${left}`, named));
  bodyOf(await bob.patch(`/rooms/${left}`, { posting: 'members' }));
  bodyOf(await bob.patch(`/rooms/${bobs}`, { metadata: { owner: USER, n: 2 } }));
  bodyOf(await zoe.delete(`/rooms/${left}/members/${me}`), 204);
  const agent = { preset: 'default', respond: 'mention', name: CANARY };
  bodyOf(await zoe.post(`/rooms/${group}/agents`, agent, idempotent(`${CANARY}-agent`)), 201);
  bodyOf(await zoe.patch(`/rooms/${group}/agents/agent_default`, { name: `${CANARY} again` }));
  // What messages said before is kept, too.
  bodyOf(await tenant.key.patch(`/admin/tenants/${tenant.tenantId}`, { settings: { message_history: 'on' } }));
  for (const room of [group, bobs, dm]) {
    const body = { content: CANARY, meta: { [CANARY]: CANARY }, client_message_id: `${CANARY}-1` };
    const first = await send(zoe, room, body);
    bodyOf(await zoe.patch(pathOf(room, first), { content: `${CANARY} again`, meta: { [CANARY]: 2 } }));
    const gone = await send(zoe, room, { content: CANARY, client_message_id: `${CANARY}-2` });
    bodyOf(await zoe.delete(pathOf(room, gone)), 204);
    await reactTo(zoe, room, await send(bob, room, { content: 'what bob wrote' }));
    bodyOf(await zoe.post(`/rooms/${room}/messages`, { content: CANARY }, idempotent(CANARY)), 201);
  }
  bodyOf(await zoe.post('/subscriptions', { topic: CANARY }, idempotent(CANARY)), 201);
  await notify(tenant, { topic: 'news', payload: { to: USER, [USER]: 1 }, targets: { user_ids: [USER, 'bob'] } });
  await notify(tenant, { topic: CANARY, payload: { text: CANARY }, targets: { user_ids: [USER] } });
  bodyOf(await zoe.post('/acks', { room_id: bobs, seq: 1 }));
  bodyOf(await zoe.patch(`/rooms/${bobs}/me`, { favourite: true }));
  bodyOf(await zoe.post(`/rooms/${bobs}/unread`, { seq: 1 }));
  bodyOf(await tenant.key.get('/changes'));
  await writeInChats(tenant);
  return { group, bobs, dm, left };
}

/** What a user says of another's message. */
async function reactTo(by: Api, room: string, message: { message_id: string }): Promise<void> {
  for (const key of [CANARY, '👍'])
    bodyOf(await by.call('PUT', `${pathOf(room, message)}/reactions/${encodeURIComponent(key)}`), 201);
  bodyOf(await by.call('PUT', `/rooms/${room}/pins/${message.message_id}`), 201);
}

async function writeInChats(tenant: TestTenant): Promise<void> {
  bodyOf(await tenant.key.patch('/api/presets/default', { keepReasoning: true }));
  const chat = await createChat(tenant.key, USER, { title: CANARY, metadata: { note: CANARY } });
  await tenant.key.patch(`/api/v1/chats/${chat.id}`, { title: `${CANARY} 2`, metadata: { more: CANARY } });
  const options = { stop: [CANARY], response_format: { type: 'json_object' } };
  const body = { content: CANARY, metadata: { [CANARY]: 1 }, client_message_id: CANARY, ...options };
  await ask(tenant.key, chat.id, body);
  const said = { userId: USER, groupId: CANARY, message: CANARY, clientMessageId: CANARY, stop: [CANARY] };
  bodyOf(await tenant.key.post('/api/chat', said));
  const named = uiBody(`${CANARY}-chat`, CANARY);
  await chunksOf(await postUi(tenant.as(USER), named));
  await chunksOf(await postUi(tenant.as(USER), { ...named, messageId: `m-${CANARY}`, trigger: 'regenerate-message' }));
  await writeByOpenAi(tenant.key, chat.id);
}

/** In a chat, in one of its own, in none; every object with a name that nobody knows. */
async function writeByOpenAi(key: Api, chatId: string): Promise<void> {
  const format = { type: 'json_schema', json_schema: { name: CANARY, schema: { title: CANARY } } };
  const inNone = {
    ...{ model: 'default', user: USER, stop: [CANARY], response_format: format },
    messages: [{ role: 'user', content: CANARY, name: CANARY }],
  };
  bodyOf(await key.post('/v1/chat/completions', inNone));
  const streamed = { ...inNone, stream: true, stream_options: { [CANARY]: CANARY, include_usage: true } };
  const headers = { ...key.headers, 'content-type': 'application/json', 'x-chat-id': chatId };
  const call = { method: 'POST', headers, body: JSON.stringify(streamed) };
  expect(await (await fetch(`${key.baseUrl}/v1/chat/completions`, call)).text()).toMatch(/data: \[DONE\]\n\n$/);
  const first = {
    ...{ model: 'default', user: USER, input: CANARY, instructions: CANARY, metadata: { note: CANARY } },
    reasoning: { effort: 'low', [CANARY]: CANARY },
    text: { [CANARY]: CANARY, format: { type: 'json_schema', name: CANARY, schema: { title: CANARY } } },
  };
  const { id } = bodyOf(await key.post<{ id: string }>('/v1/responses', first));
  bodyOf(await key.post('/v1/responses', { ...first, previous_response_id: id }));
}

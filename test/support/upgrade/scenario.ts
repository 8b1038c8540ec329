import { ask, chatPath, createChat, say, sayStreaming } from '../chats/http';
import { deadLetters } from '../dead-letters';
import { faults, AnswerGate, type ProviderServer } from '../fake-model';
import { type Answer, type Api, metricOf } from '../http/api';
import { pathOf, send } from '../messages';
import { until } from '../poll';
import { createRoom } from '../rooms';
import type { NewKeyBody } from '../tenants';
import type { DeliveryBody, Receiver } from '../webhooks/receiver';
import { WsClient } from '../ws/client';

type Headers = Readonly<Record<string, string>>;
type As = (user: string) => Api;

interface Enveloped {
  readonly data: { readonly id: string; readonly conversationId: string };
}

/** What was made, as its clients know it. */
export interface ScenarioResult {
  /** Credentials by who they are of. */
  readonly callers: Readonly<Record<string, Headers>>;
  readonly webhookSecret: string;
  readonly tenantPath: string;
  readonly rooms: Readonly<Record<'dm' | 'group' | 'channel' | 'deleted', string>>;
  readonly chats: Readonly<Record<'told' | 'failed' | 'stopped' | 'orphaned' | 'deleted' | 'waiting', string>>;
  /** One of alice on the Conversations API. */
  readonly conversation: string;
  readonly channel: string;
  /** A message of the group as alice sent it, with a client_message_id, and its seq. */
  readonly repeatable: { readonly body: object; readonly seq: number };
  /** A POST /rooms of alice, and the room that it made. */
  readonly idempotent: { readonly key: string; readonly body: object; readonly room: string };
  /** The deliveries that the target has put off, and those that were given up, by their webhook-id. */
  readonly hooks: { readonly due: readonly string[]; readonly dead: readonly string[] };
}

/** Where the story takes place. */
export interface ScenarioServers {
  /** The server, without a credential. */
  readonly api: Api;
  readonly masterKey: string;
  readonly model: ProviderServer;
  readonly hook: Receiver;
}

const UNLIMITED = { requests_per_second: null, ai_requests_per_minute: null, ws_messages_per_second: null };
/** What the webhook's target puts off, and what it never takes. */
const [PUT_OFF, REFUSED] = ['to be put off', 'to be refused'];
/** For so long, in seconds: a test comes later. */
const PUT_OFF_FOR = '30';
/** Of the provider, which the server has encrypted. */
export const PROVIDER_KEY = 'sk-of-the-upgrade-fixture';
/** What the model had said when the server was stopped. */
export const HALF_ANSWER = 'One two ';

/**
 * Fills an empty installation with something of everything that a client can make, through the public API alone, and
 * leaves work behind: an answer that is being written, a question that waits for it, posts that were put off.
 */
export async function playScenario(stage: ScenarioServers): Promise<ScenarioResult> {
  stage.hook.answer = (response, { data }) => {
    const text = JSON.stringify(data);
    if (text.includes(PUT_OFF)) response.writeHead(503, { 'retry-after': PUT_OFF_FOR }).end('not now');
    else response.writeHead(text.includes(REFUSED) ? 500 : 204).end();
  };
  const { key, tenantPath, callers } = await makeTenants(stage);
  const as: As = (user) => key.with({ 'x-user-id': user });
  const rooms = await makeRooms(as);
  const repeatable = await talk(as, rooms);
  await loseOne(as, rooms.dm);
  await notifyAll(key, as, rooms.group);
  const { channel, preset } = await makeModels(key, stage.model.url);
  const chats = await chat(key, stage.model, preset);
  const conversation = await converse(key);
  const idempotent = await makeOnce(as('alice'));
  await send(as('bob'), rooms.group, { content: PUT_OFF });
  await send(as('bob'), rooms.group, { content: REFUSED });
  const hooks = await posted(key, `${tenantPath}/webhook/deliveries?limit=100`);
  const waiting = await leaveWaiting(key, stage.model);
  const made = { rooms, chats: { ...chats, waiting }, conversation, channel, repeatable, idempotent, hooks };
  return { callers, webhookSecret: stage.hook.secret, tenantPath, ...made };
}

async function makeTenants({
  api,
  masterKey,
  hook,
}: ScenarioServers): Promise<Pick<ScenarioResult, 'callers' | 'tenantPath'> & { key: Api }> {
  const master = api.with({ 'x-master-key': masterKey });
  const make = async (body: object): Promise<{ tenant_id: string; api_key: string; webhook_secret?: string }> =>
    done(await master.post('/admin/tenants', body));
  const events = ['message.created', 'message.offline', 'notification.offline', 'member.joined', 'room.created'];
  const acme = await make({
    ...{ name: 'Acme', limits: { ...UNLIMITED, users: 50, tokens_per_day: 1_000_000 } },
    settings: {
      webhook: { url: hook.url, events },
      allowed_origins: ['https://app.example.com'],
      presence_room_limit: 9,
    },
  });
  hook.secret = acme.webhook_secret ?? '';
  const globex = await make({ name: 'Globex ünïcødé', limits: UNLIMITED, settings: { response_format: 'envelope' } });
  const gone = await make({ name: 'Gone' });
  done(await master.patch(`/admin/tenants/${gone.tenant_id}`, { status: 'suspended' }));
  const user = (apiKey: string, name: string): Headers => ({ 'x-api-key': apiKey, 'x-user-id': name });
  done(
    await api.with(user(globex.api_key, 'alice')).post('/rooms', { type: 'group', members: ['bob'], name: 'Theirs' }),
  );
  const tenantPath = `/admin/tenants/${acme.tenant_id}`;
  const key = api.with({ 'x-api-key': acme.api_key });
  const named = ['alice', 'bob', 'carol', 'dave'].map((name) => [name, user(acme.api_key, name)] as const);
  const callers = {
    ...{ master: master.headers, key: key.headers, chatKey: { 'x-api-key': await makeKeys(key, tenantPath) } },
    ...{ ...Object.fromEntries(named), other: user(globex.api_key, 'alice'), gone: user(gone.api_key, 'alice') },
  };
  return { key, tenantPath, callers };
}

/** One that is used, which is returned; one that another has taken the place of, and one that was revoked. */
async function makeKeys(admin: Api, tenantPath: string): Promise<string> {
  const make = async (body: object): Promise<NewKeyBody> => done(await admin.post(`${tenantPath}/keys`, body));
  const used = await make({ name: 'backend', scopes: ['chat'] });
  const rotated = await make({ name: 'rotated', scopes: ['chat', 'admin'], expires_at: '2100-01-01T00:00:00.000Z' });
  done(await admin.post(`${tenantPath}/keys/${rotated.key_id}/rotate`, { overlap_seconds: 60 }));
  const revoked = await make({ name: 'revoked' });
  done(await admin.delete(`${tenantPath}/keys/${revoked.key_id}`));
  return used.api_key;
}

async function makeRooms(as: As): Promise<ScenarioResult['rooms']> {
  const alice = as('alice');
  const dm = await createRoom(alice, 'dm', ['bob']);
  const group = await createRoom(alice, 'group', ['bob', 'carol', 'dave'], {
    name: 'Team',
    metadata: { n: 1, x: 'x' },
  });
  const channel = await createRoom(alice, 'channel', [], { name: 'News', posting: 'admins' });
  const deleted = await createRoom(alice, 'group', ['bob']);
  await send(alice, deleted.room_id);
  done(await alice.delete(`/rooms/${deleted.room_id}`));
  const path = `/rooms/${group.room_id}`;
  done(await alice.patch(path, { name: 'Team 👍', metadata: { n: 2, x: null, deep: { a: [1.5, null] } } }));
  done(await alice.patch(`${path}/members/bob`, { role: 'admin' }));
  done(await as('bob').delete(`${path}/members/dave`));
  done(await as('bob').post(`${path}/members`, { user_ids: ['dave', 'erin'] }));
  for (const user of ['bob', 'dave']) done(await as(user).post(`/rooms/${channel.room_id}/join`));
  done(await as('dave').delete(`/rooms/${channel.room_id}/members/dave`));
  return { dm: dm.room_id, group: group.room_id, channel: channel.room_id, deleted: deleted.room_id };
}

/** Messages of every kind, edited and deleted ones, and how far who has come. */
async function talk(as: As, { dm, group, channel }: ScenarioResult['rooms']): Promise<ScenarioResult['repeatable']> {
  const [alice, bob, carol] = [as('alice'), as('bob'), as('carol')];
  const body = {
    content: 'a tab\tand a\nline, \\N, "quotes" 👍',
    meta: { z: 1, a: [2.5, null] },
    client_message_id: 'c-1',
  };
  const { seq } = await send(alice, group, body);
  for (let n = 1; n <= 6; n++) await send(n % 2 === 0 ? alice : bob, group, { content: `message ${n}` });
  const edited = await send(bob, group, { content: 'before', meta: { v: 1 } });
  done(await bob.patch(pathOf(group, edited), { content: 'after', meta: { v: 2 } }));
  const deleted = await send(bob, group, { content: 'said too soon' });
  done(await bob.delete(pathOf(group, deleted)));
  await send(alice, channel, { content: 'the news' });
  await send(bob, dm, { content: 'just for you' });
  done(await bob.post('/acks', { room_id: group, seq: 5 }));
  done(await bob.post('/reads', { room_id: group, seq: 4 }));
  done(await carol.post('/acks', { room_id: group, seq: 3 }));
  return { body, seq };
}

/** A message that a connection which acks does not acknowledge becomes a dead letter. */
async function loseOne(as: As, room_id: string): Promise<void> {
  const [alice, bob] = [as('alice'), as('bob')];
  const socket = await WsClient.connect(alice.baseUrl, { headers: alice.headers });
  await socket.frame('presence.snapshot');
  const { seq } = await send(bob, room_id, { content: 'is acknowledged' });
  await socket.frame((frame) => frame.type === 'message' && frame['seq'] === seq);
  done(await socket.ask({ type: 'ack', room_id, seq }).then(() => alice.get(`/rooms/${room_id}`)));
  await send(bob, room_id, { content: 'is lost' });
  await until(
    () => deadLetters(alice),
    ({ failed_messages }) => failed_messages.length > 0,
  );
  await socket.close();
}

/** Notifications that were read, delivered, given up and neither, and subscriptions. */
async function notifyAll(key: Api, as: As, room_id: string): Promise<void> {
  const [alice, bob] = [as('alice'), as('bob')];
  for (const [by, topic] of [
    [alice, 'order.shipped'],
    [bob, 'order.shipped'],
    [bob, 'order.lost'],
  ] as const)
    done(await by.post('/subscriptions', { topic }));
  const gone = done(await alice.post<{ id: string }>('/subscriptions', { topic: 'not.any.more' }));
  done(await alice.delete(`/subscriptions/${gone.id}`));
  const socket = await WsClient.connect(alice.baseUrl, { headers: alice.headers });
  await socket.frame('presence.snapshot');
  const notify = async (topic: string, payload: object, targets: object): Promise<string> =>
    done(await key.post<{ notification_id: string }>('/notify', { topic, payload, targets })).notification_id;
  const first = await notify('order.shipped', { n: 1 }, { topic_subscribers: true, user_ids: ['carol'] });
  await socket.frame('notification');
  await socket.ask({ type: 'notification.ack', notification_id: first });
  done(await bob.post(`/notifications/${first}/read`));
  await notify('team.news', { n: 2, text: 'ünïcødé' }, { room_id });
  await notify('order.lost', { n: 3, text: REFUSED }, { topic_subscribers: true });
  await socket.many('notification', 2);
  await socket.close();
}

/** A channel whose key is encrypted, others beside it, presets; what is asked through the first. */
async function makeModels(key: Api, baseUrl: string): Promise<{ channel: string; preset: string }> {
  const shared = { provider: 'openai-compatible', baseUrl };
  const channel = done(
    await key.post<Enveloped>('/api/channels', {
      ...{ ...shared, name: 'main', apiKey: PROVIDER_KEY, model: 'model-1', priority: 1, temperature: 0.1 },
      ...{
        models: { smart: 'model-2' },
        timeouts: { idleMs: 30_000 },
        params: { systemRole: 'developer', extra: { k: 1 } },
      },
    }),
  );
  done(await key.post('/api/channels', { ...shared, name: 'off', apiKey: 'sk-other', enabled: false, priority: 2 }));
  const gone = done(await key.post<Enveloped>('/api/channels', { provider: 'echo', name: 'echo' }));
  done(await key.delete(`/api/channels/${gone.data.id}`));
  const preset = {
    name: 'support',
    systemPrompt: 'Be brief. ünïcødé',
    model: 'smart',
    temperature: 1e-7,
    stop: ['END'],
  };
  done(await key.post('/api/presets', { ...preset, contextMessages: 5, responseFormat: { type: 'json_object' } }));
  done(await key.patch('/api/presets/support', { seed: 7, responseFormat: null }));
  done(await key.post('/api/presets', { name: 'gone', systemPrompt: '' }));
  return { channel: channel.data.id, preset: preset.name };
}

/** A chat that went well and was answered twice, one that failed, one that was stopped, one whose preset is gone. */
async function chat(
  key: Api,
  model: ProviderServer,
  preset: string,
): Promise<Omit<ScenarioResult['chats'], 'waiting'>> {
  const make = async (more: object = {}): Promise<string> => (await createChat(key, 'alice', more)).id;
  const told = await make({ preset, metadata: { department: 'technical' } });
  await ask(key, told, { content: 'first', client_message_id: 'q-1', metadata: { source: 'web' } });
  await ask(key, told, { content: 'second', model: 'other', temperature: 0.5 });
  done(await key.post(`${chatPath(told)}/regenerate`, {}));
  const failed = await make({ title: 'Fails' });
  model.next(faults.status(400));
  await say(key, failed, 'this goes wrong');
  const orphaned = await make({ preset: 'gone', title: 'Renamed later' });
  await ask(key, orphaned, 'who are you?');
  done(await key.patch(chatPath(orphaned), { title: 'Renamed', metadata: { a: 1 } }));
  done(await key.delete('/api/presets/gone'));
  const deleted = await make();
  await ask(key, deleted, 'forget this');
  done(await key.delete(chatPath(deleted)));
  const stopped = await make({ title: 'Stopped' });
  model.next({ steps: [HALF_ANSWER, { hold: new AnswerGate() }] });
  const stream = await sayStreaming(key, stopped, 'tell me everything');
  await stream.take(2);
  done(await key.post(`${chatPath(stopped)}/stop`));
  await stream.rest();
  return { told, failed, stopped, orphaned, deleted };
}

/** One that was cleared and went on, and one in a group. */
async function converse(key: Api): Promise<string> {
  const say = async (message: string, more: object = {}): Promise<string> =>
    done(await key.post<Enveloped>('/api/chat', { message, userId: 'alice', ...more })).data.conversationId;
  const id = await say('before it was cleared');
  done(await key.post(`/api/conversations/${id}/clear`));
  await say('after it was cleared');
  await say('in a group', { groupId: 'g-1', userId: 'bob' });
  return id;
}

async function makeOnce(alice: Api): Promise<ScenarioResult['idempotent']> {
  const [key, body] = ['key-of-a-room', { type: 'group', members: ['bob'], name: 'Made once' }];
  const made = await alice.post<{ room_id: string }>('/rooms', body, { headers: { 'Idempotency-Key': key } });
  return { key, body, room: done(made).room_id };
}

/** Once all that happened was posted, but for what the target has put off. */
async function posted(key: Api, path: string): Promise<ScenarioResult['hooks']> {
  const deliveries = await until(
    async () => {
      const queued = await metricOf(key, 'chatapi_jobs{state="queued"}');
      const running = await metricOf(key, 'chatapi_jobs{state="running"}');
      const { deliveries: all } = done(await key.get<{ deliveries: DeliveryBody[] }>(path));
      return { left: queued + running, all };
    },
    ({ left, all }) => left === all.filter(isPutOff).length && all.some(isPutOff) && all.every(isSettled),
  );
  const ids = (state: string): string[] =>
    deliveries.all.filter((each) => each.state === state).map((d) => d.webhook_id);
  return { due: ids('pending'), dead: ids('dead') };
}

const isPutOff = ({ state, status }: DeliveryBody): boolean => state === 'pending' && status === 503;
const isSettled = (delivery: DeliveryBody): boolean => delivery.state !== 'pending' || isPutOff(delivery);

/** The server is stopped in the middle of the first answer, and the second question is not asked yet. */
async function leaveWaiting(key: Api, model: ProviderServer): Promise<string> {
  const { id } = await createChat(key, 'alice', { title: 'Waits' });
  await ask(key, id, 'is all well?');
  model.next({ steps: [HALF_ANSWER, { hold: new AnswerGate() }] });
  const first = await sayStreaming(key, id, 'will be interrupted');
  await first.take(2);
  first.cut();
  const second = await sayStreaming(key, id, 'waits in the queue');
  await second.take(1);
  second.cut();
  return id;
}

/** The body of an answer that went well. */
function done<T>({ status, body }: Answer<T>): T {
  if (status >= 300) throw new Error(`expected success, got ${status}: ${JSON.stringify(body)}`);
  return body;
}

import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { bearer, mintToken } from '../support/auth';
import { chatPath, createChat, say, withModel, type WithModel } from '../support/chats/http';
import { bare, FakeModel, faults, type ProviderScript } from '../support/fake-model';
import { type Answer, type Api, errorOf } from '../support/http/api';
import { createChannel, createPreset, dataOf, type Enveloped } from '../support/models';
import { RecordingLog } from '../support/recording-log';
import { createKey } from '../support/tenants';

const OVERLONG: ProviderScript = bare({
  error: { code: 400, message: "This model's maximum context length is 8192 tokens", type: 'invalid_request_error' },
});
const QUOTED = 'the user wrote: my PIN is 4711';

let app: WithModel<TestApp>;
let log: RecordingLog;
let tenant: TestTenant;

beforeAll(async () => {
  log = new RecordingLog();
  app = await withModel((env) => startTestApp({ env: { ...env, CHANNEL_ALLOW_PRIVATE: 'true' }, log }));
});
beforeEach(async () => {
  app.model.reset();
  log.lines.length = 0;
  tenant = await app.tenant();
});
afterAll(() => app.close());

function converse(by: Api, fields: object = {}): Promise<Answer<Enveloped<{ response: string }>>> {
  return by.post('/api/chat', { message: 'hello', userId: 'alice', ...fields });
}

async function detailsOf(by: Api): Promise<Record<string, unknown>> {
  const { error } = (await converse(by)).body as unknown as { error: { details: Record<string, unknown> } };
  return error.details;
}

const failures = (): Record<string, unknown>[] =>
  log.lines.filter(({ message }) => message === 'model channel failed').map(({ fields }) => fields as never);

describe('A1: what one user does', () => {
  it('five overlong questions of a user token leave the model open for every tenant, and for that user', async () => {
    const user = bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token);
    app.model.otherwise = OVERLONG;
    for (let i = 0; i < 5; i++) expect(errorOf(await converse(user)).code).toBe('MODEL_ERROR');
    app.model.otherwise = {};
    for (const by of [(await app.tenant()).key, tenant.key, user]) expect((await converse(by)).status).toBe(200);
  });

  it.each<[string, ProviderScript]>([
    ['404', faults.status(404)],
    [
      'model_not_found',
      { status: 400, body: JSON.stringify({ error: { code: 'model_not_found', message: 'no such' } }) },
    ],
  ])('a preset with a mistyped model, answered five times with %s, closes nothing', async (_, script) => {
    await createPreset(tenant.key, { name: 'typo', model: 'gpt-4o-mini-mini' });
    app.model.otherwise = script;
    for (let i = 0; i < 5; i++) expect((await converse(tenant.key, { preset: 'typo' })).status).toBe(502);
    app.model.otherwise = {};
    for (const preset of ['typo', 'default']) expect((await converse(tenant.key, { preset })).status).toBe(200);
    expect((await converse((await app.tenant()).key)).status).toBe(200);
  });

  it('even a model that is down for one tenant stays open for the others that it answers', async () => {
    const other = (await app.tenant()).key;
    expect((await converse(other)).status).toBe(200);
    app.model.otherwise = faults.status(500);
    for (let i = 0; i < 5; i++) expect((await converse(tenant.key)).status).toBe(502);
    expect(errorOf(await converse(tenant.key)).code).toBe('CHANNEL_UNAVAILABLE');
    app.model.otherwise = {};
    expect((await converse(other)).status).toBe(200);
  });
});

describe('A8: a fault says what it is about', () => {
  // However slow the machine: somebody was answered within the last minute, so that nothing closes for all.
  beforeEach(async () => {
    expect((await converse((await app.tenant()).key)).status).toBe(200);
    app.model.reset();
  });

  it.each<[string, ProviderScript, string, RegExp]>([
    ['a wrong key', faults.status(401), 'auth', /key of the model channel/],
    ['no money', faults.status(402), 'money', /no money or quota/],
    ['an unknown model', faults.status(404), 'model', /does not know this model/],
    ['an overflow', OVERLONG, 'overflow', /longer than the model can read/],
    ['a fall', faults.status(500), 'provider', /check the model channel/],
  ])('%s', async (_, script, reason, hint) => {
    // The chats ask once more after an overflow.
    app.model.next(script, script);
    expect(await detailsOf(tenant.key)).toMatchObject({ reason, hint: expect.stringMatching(hint) });
    expect(failures()[0]).toMatchObject({ reason });
  });

  it('to admin keys also what the provider said, without keys and addresses; to nobody else, and not to the log', async () => {
    const said = `Invalid key sk-1234567890abcdef at https://api.example.com/v1 (10.0.0.7): ${QUOTED}`;
    app.model.otherwise = { status: 400, body: JSON.stringify({ error: { message: said, code: 'weird' } }) };
    const cleaned = `Invalid key [key] at [address] ([address]): ${QUOTED}`;
    expect(await detailsOf(tenant.key)).toMatchObject({ reason: 'request', provider_message: cleaned });
    const chatKey = app.anonymous.with({ 'x-api-key': (await createKey(app, tenant)).api_key });
    const user = bearer(app.anonymous, (await mintToken(tenant.key, 'alice')).token);
    for (const by of [chatKey, user]) expect(await detailsOf(by)).not.toHaveProperty('provider_message');
    const chat = await createChat(tenant.key);
    const answer = await say(tenant.key, chat.id, { content: 'hello' });
    expect(answer.body).toMatchObject({ error: { details: { provider_message: cleaned } } });
    const list = await tenant.key.get(`${chatPath(chat.id)}/messages`);
    expect(JSON.stringify([log.lines, list.body])).not.toContain('PIN');
  });

  it("the channel's page has the last five, the environment's for the master key only", async () => {
    const provider = await FakeModel.start();
    try {
      const { id } = await createChannel(tenant.key, { baseUrl: provider.url, apiKey: 'sk-x' });
      provider.otherwise = { status: 401, body: JSON.stringify({ error: { message: QUOTED, type: 'auth_error' } }) };
      app.model.otherwise = faults.status(503);
      for (let i = 0; i < 6; i++) await converse(tenant.key);
      const channel = dataOf(await tenant.key.get<Enveloped<{ lastFaults: object[] }>>(`/api/channels/${id}`));
      expect(channel.lastFaults).toHaveLength(5);
      expect(channel.lastFaults[0]).toMatchObject({
        ...{ model: 'gpt-4o-mini', reason: 'auth', status: 401, type: 'auth_error', code: null },
        ...{ fault: 'answered HTTP 401: it refuses the key', providerMessage: QUOTED, at: expect.any(Number) },
      });
      const path = '/api/channels/environment';
      const environment = dataOf(await app.master.get<Enveloped<{ lastFaults: object[] }>>(path));
      expect(environment).toMatchObject({ name: 'environment', baseUrl: app.model.url });
      expect(environment.lastFaults[0]).toMatchObject({ status: 503, providerMessage: 'fault 503' });
      expect((await tenant.key.get(path)).status).toBe(403);
    } finally {
      await provider.stop();
    }
  });
});

it('A11: what the provider asks to wait is passed on to the caller, and kept by the server', async () => {
  app.model.next(faults.status(429, { 'retry-after': '7' }));
  const refused = await converse(tenant.key);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([502, '7']);
  const next = await converse(tenant.key);
  expect([errorOf(next).code, Number(next.headers.get('retry-after')) > 3]).toEqual(['CHANNEL_UNAVAILABLE', true]);
  expect(app.model.requests).toHaveLength(1);
  expect((await converse((await app.tenant()).key)).status).toBe(200);
});

it('S30: the log line of a failed channel names the request, the chat and the message', async () => {
  app.model.next(faults.status(503));
  const chat = await createChat(tenant.key);
  const failed = await say(tenant.key.with({ 'x-request-id': 'follow-me' }), chat.id, { content: QUOTED });
  const { error } = failed.body as unknown as { error: { details: { message_id: string } } };
  const [line] = failures();
  expect(line).toMatchObject({ request_id: 'follow-me', chat_id: chat.id, channel: 'environment', status: 503 });
  const hex = String(line?.['message_id']).replaceAll('-', '');
  expect(error.details.message_id).toBe(`msg_${hex}`);
  expect(JSON.stringify(log.lines)).not.toContain('PIN');
});

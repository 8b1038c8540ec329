import type OpenAI from 'openai';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { mintToken } from '../support/auth';
import { createChat, FAKE_ANSWER, FAKE_USAGE, messagesOf, startChatApp, type WithModel } from '../support/chats/http';
import { openAi, openAiAs, refusedBy } from '../support/chats/openai';
import { AnswerGate, faults, type ProviderServer } from '../support/fake-model';
import { PNG_URL } from '../support/images';
import { createChannel, createPreset } from '../support/models';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';

const HELLO = [{ role: 'user', content: 'Hello' }] as const satisfies OpenAI.ChatCompletionMessageParam[];
const PLAIN = { model: 'default', messages: [...HELLO] } satisfies OpenAI.ChatCompletionCreateParamsNonStreaming;

/** What the client’s types call deprecated, and clients send all the same. */
const older = <T extends object>(fields: T): T => fields;

interface Charge {
  readonly user_id: string | null;
  readonly reserved: number;
  readonly tokens: number | null;
}

describe('the OpenAI API: completions', () => {
  let app: WithModel<TestApp>;
  let model: ProviderServer;
  let tenant: TestTenant;
  let client: OpenAI;

  beforeAll(async () => {
    app = await startChatApp({ OPENAI_VISION: 'true', CHANNEL_ALLOW_PRIVATE: 'true' });
    ({ model } = app);
    tenant = await app.tenant();
    client = openAi(app, tenant.apiKey);
  });
  afterAll(() => app.close());

  const chargesOf = ({ tenantId }: TestTenant): Promise<Charge[]> =>
    app.database.sql<Charge>(
      `SELECT user_id, reserved::int, tokens::int FROM charges
       WHERE tenant_id = replace($1, 'tenant_', '')::uuid AND room_id IS NULL ORDER BY created_at`,
      [tenantId],
    );
  const ended = (of: TestTenant): Promise<Charge[]> =>
    until(
      () => chargesOf(of),
      (rows) => rows.length > 0 && rows.every(({ tokens }) => tokens !== null),
    );
  const asked = async (nth: number): Promise<Record<string, unknown>> => (await model.request(nth)).body;

  it('shows images to channels that see; others are told their names, and the answer says so', async () => {
    const content = [
      { type: 'text', text: 'What is it?' } as const,
      { type: 'image_url', image_url: { url: PNG_URL } } as const,
    ];
    const question = { role: 'user', content } as const;
    const messages = [question, { role: 'assistant', content: 'A cat.' } as const, question];
    const nth = model.requests.length;
    const answer = await client.chat.completions.create({ ...PLAIN, messages });
    expect([answer.choices[0]?.message.content, 'metadata' in answer]).toEqual([FAKE_ANSWER, false]);
    const text = 'What is it?\n[image: image 1]';
    const shown = { role: 'user', content: [content[1], { type: 'text', text }] };
    expect((await asked(nth + 1))['messages']).toMatchObject([{}, shown, {}, shown]);
    const blind = await app.tenant();
    await createChannel(blind.key, { baseUrl: model.url, apiKey: 'sk-x', vision: false });
    const theirs = openAi(app, blind.apiKey);
    expect(await theirs.chat.completions.create({ ...PLAIN, messages })).toMatchObject({
      metadata: { images_left_out: '2' },
    });
    expect((await asked(nth + 2))['messages']).toMatchObject([{}, { content: text }, {}, { content: text }]);
    const chunks = [];
    for await (const chunk of await theirs.chat.completions.create({ ...PLAIN, messages, stream: true }))
      chunks.push(chunk);
    expect(chunks.at(-1)).toMatchObject({ choices: [{ finish_reason: 'stop' }], metadata: { images_left_out: '2' } });
  });

  it('lists the presets as models', async () => {
    const { name } = await createPreset(tenant.key, { name: 'pirate' });
    const listed = [];
    for await (const one of client.models.list()) listed.push(one.id);
    expect(listed).toEqual(['default', name]);
    expect(await client.models.retrieve(name)).toMatchObject({ id: name, object: 'model', owned_by: 'chatapi' });
    expect(await refusedBy(() => client.models.retrieve('nobody'))).toMatchObject({
      ...{ name: 'NotFoundError', code: 'NOT_FOUND', param: 'model' },
    });
  });

  it('answers whole, is told the preset, the client’s own messages and its parameters, and stores nothing', async () => {
    const nth = model.requests.length;
    const answer = await client.chat.completions.create({
      ...PLAIN,
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'One' }] },
        { role: 'assistant', content: 'Two' },
        { role: 'user', content: 'Three' },
      ],
      ...{
        temperature: 0.5,
        max_completion_tokens: 7,
        stop: 'END',
        ...older({ seed: 3 }),
        store: true,
        metadata: { a: 'b' },
      },
    });
    expect(answer).toMatchObject({
      object: 'chat.completion',
      model: 'default',
      choices: [
        { index: 0, message: { role: 'assistant', content: FAKE_ANSWER, refusal: null }, finish_reason: 'stop' },
      ],
      usage: FAKE_USAGE,
    });
    expect(answer.id).toMatch(/^chatcmpl-[0-9a-f]{32}$/);
    const body = await asked(nth + 1);
    expect(body['messages']).toEqual([
      { role: 'system', content: 'You are a helpful assistant.\n\nBe brief.' },
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'Two' },
      { role: 'user', content: 'Three' },
    ]);
    expect(body).toMatchObject({ temperature: 0.5, stop: ['END'], seed: 3 });
    expect(await app.database.sql('SELECT 1 FROM messages WHERE content = $1', [FAKE_ANSWER])).toEqual([]);
  });

  it.each([true, false])('streams; with usage: %s', async (includeUsage) => {
    const stream = await client.chat.completions.create({
      ...{ ...PLAIN, stream: true },
      ...(includeUsage ? { stream_options: { include_usage: true } } : {}),
    });
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(FAKE_ANSWER);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    const last = chunks.at(-1);
    if (includeUsage) expect(last).toMatchObject({ choices: [], usage: FAKE_USAGE });
    else expect(last).not.toHaveProperty('usage');
    expect(chunks.at(includeUsage ? -2 : -1)?.choices[0]?.finish_reason).toBe('stop');
  });

  it('the client’s own helper reads a stream to its end', async () => {
    const whole = await client.chat.completions.stream({ ...PLAIN }).finalChatCompletion();
    expect(whole.choices[0]?.message.content).toBe(FAKE_ANSWER);
  });

  describe('errors become the client’s exceptions', () => {
    it.each([
      ['an API key that is none', () => openAi(app, 'nonsense'), PLAIN, 'AuthenticationError', 'AUTHENTICATION_ERROR'],
      [
        'a key that was made up',
        () => openAi(app, `chatapi_${'x'.repeat(38)}`),
        PLAIN,
        'AuthenticationError',
        undefined,
      ],
      ['a socket ticket', () => openAi(app, 'wst_abc'), PLAIN, 'AuthenticationError', undefined],
      ['the master key', () => openAi(app, 'master-key-of-the-tests'), PLAIN, 'AuthenticationError', undefined],
      ['a model that is none', () => client, { ...PLAIN, model: 'gpt-9' }, 'NotFoundError', 'NOT_FOUND'],
      ['n', () => client, { ...PLAIN, n: 2 }, 'BadRequestError', 'VALIDATION_ERROR'],
      ['logprobs', () => client, { ...PLAIN, logprobs: true }, 'BadRequestError', undefined],
      ['temperature', () => client, { ...PLAIN, temperature: 3 }, 'BadRequestError', undefined],
      ['stream_options', () => client, { ...PLAIN, stream_options: {} }, 'BadRequestError', undefined],
    ] as const)('%s', async (param, of, body, name, code) => {
      const refused = await refusedBy(() => of().chat.completions.create(body));
      expect(refused).toMatchObject({ name, ...(code === undefined ? {} : { code }) });
      if (name === 'BadRequestError') expect(refused.param).toBe(param);
    });

    it('what is no text, and who says nothing', async () => {
      const saying = (...messages: OpenAI.ChatCompletionMessageParam[]) =>
        refusedBy(() => client.chat.completions.create({ ...PLAIN, messages }));
      const image = (url: string): OpenAI.ChatCompletionMessageParam => ({
        ...{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] },
      });
      expect(await saying(image('data:image/png;base64,AAAA'))).toMatchObject({
        ...{
          status: 400,
          param: 'messages[0].content[0]',
          message: expect.stringContaining('is no image'),
        },
      });
      expect(await saying(image('https://example.com/a.png'))).toMatchObject({
        ...{ status: 400, message: expect.stringContaining('nothing is fetched') },
      });
      const asSystem = { ...image(PNG_URL), role: 'system' } as unknown as OpenAI.ChatCompletionMessageParam;
      expect(await saying(asSystem, ...HELLO)).toMatchObject({
        ...{ status: 400, message: expect.stringContaining('only users show images') },
      });
      const many = Array.from({ length: 21 }, () => image(PNG_URL));
      expect(await saying(...many)).toMatchObject({ status: 400, param: 'messages' });
      expect(await saying()).toMatchObject({ status: 400, param: 'messages' });
      expect(await saying({ role: 'assistant', content: 'Hi' })).toMatchObject({ status: 400, param: 'messages[0]' });
      expect(await saying({ role: 'tool', content: 'x', tool_call_id: 'y' })).toMatchObject({ status: 400 });
    });

    it('a model that fails: before its first word, and after it', async () => {
      model.next(faults.status(500));
      expect(await refusedBy(() => client.chat.completions.create(PLAIN))).toMatchObject({
        ...{ name: 'InternalServerError', status: 502, code: 'MODEL_ERROR' },
      });
      model.next(faults.cut('Hel', 'lo'));
      let text = '';
      const refused = await refusedBy(async () => {
        for await (const { choices } of await client.chat.completions.create({ ...PLAIN, stream: true }))
          text += choices[0]?.delta.content ?? '';
      });
      expect([text, refused]).toEqual(['Hello', expect.objectContaining({ name: 'APIError', code: 'MODEL_ERROR' })]);
    });

    it('limits, unknown routes, wrong methods, what is no JSON and what is too large', async () => {
      const slow = openAi(app, (await app.tenant({ ai_requests_per_minute: 1 })).apiKey);
      await slow.models.list();
      expect(await refusedBy(() => slow.chat.completions.create(PLAIN))).toMatchObject({
        ...{ name: 'RateLimitError', code: 'RATE_LIMIT_EXCEEDED' },
      });
      const raw = (path: string, init?: RequestInit) =>
        fetch(`${app.url}${path}`, { headers: { authorization: `Bearer ${tenant.apiKey}` }, ...init });
      const json = { authorization: `Bearer ${tenant.apiKey}`, 'content-type': 'application/json' };
      const answers = await Promise.all([
        raw('/v1/embeddings'),
        raw('/v1'),
        raw('/v1/chat/completions'),
        raw('/v1/chat/completions', { method: 'POST', headers: json, body: '{' }),
        raw('/v1/chat/completions', { method: 'POST', headers: json, body: `"${'x'.repeat(8 * 1024 * 1024)}"` }),
        raw('/v1/models?limit=5'),
        raw('/v1/%'),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([404, 404, 405, 400, 413, 400, 400]);
      for (const answer of answers)
        expect(Object.keys(((await answer.json()) as { error: object }).error)).toEqual([
          'message',
          'type',
          'param',
          'code',
        ]);
    });
  });

  describe('what it costs', () => {
    it('is reserved and charged, to the user who is named too', async () => {
      const own = await app.tenant({ tokens_per_day: 1000 });
      await openAi(app, own.apiKey).chat.completions.create({ ...PLAIN, ...older({ user: 'bob' }) });
      await openAi(app, own.apiKey).chat.completions.create(PLAIN);
      expect((await ended(own)).map(({ user_id, tokens }) => [user_id, tokens])).toEqual([
        ['bob', FAKE_USAGE.total_tokens],
        [null, FAKE_USAGE.total_tokens],
      ]);
    });

    it('ends an answer where the budget does, and the next one is refused', async () => {
      const own = await app.tenant({ tokens_per_day: 30 });
      const poor = openAi(app, own.apiKey);
      model.next({ steps: ['x'.repeat(400)], usage: null });
      const cut = await poor.chat.completions.create(PLAIN);
      expect(cut.choices[0]?.finish_reason).toBe('length');
      expect(cut.choices[0]?.message.content?.length).toBeLessThan(120);
      expect(await refusedBy(() => poor.chat.completions.create(PLAIN))).toMatchObject({
        ...{ name: 'RateLimitError', code: 'QUOTA_EXCEEDED' },
      });
    });

    it('who leaves ends the answer, and pays for what was said', async () => {
      const own = await app.tenant({ tokens_per_day: 100_000 });
      const gate = new AnswerGate();
      model.next({ steps: ['Some words', { hold: gate }, ' and more'] });
      const nth = model.requests.length;
      const stream = await openAi(app, own.apiKey).chat.completions.create({ ...PLAIN, stream: true });
      for await (const { choices } of stream) if (choices[0]?.delta.content === 'Some words') break;
      expect(await (await model.request(nth + 1)).closed).toBe('early');
      const [charge] = await ended(own);
      expect(charge?.tokens).toBeGreaterThan(0);
      expect(charge?.tokens).toBeLessThan(100);
      gate.open();
    });

    it('50 at once on a budget of one: one is answered', async () => {
      const own = await app.tenant({ tokens_per_day: 40 });
      const poor = openAi(app, own.apiKey);
      const gate = new AnswerGate();
      model.otherwise = { steps: ['one', { hold: gate }] };
      const came: string[] = [];
      const calls = Array.from({ length: 50 }, () =>
        poor.chat.completions.create({ ...PLAIN, ...older({ max_tokens: 1000 }) }).then(
          () => came.push('answered'),
          (error: unknown) => came.push((error as { code: string }).code),
        ),
      );
      await gate.reached;
      await until(
        () => Promise.resolve(came.length),
        (n) => n >= 49,
      );
      gate.open();
      await Promise.all(calls);
      model.otherwise = {};
      expect(came.filter((what) => what === 'answered')).toHaveLength(1);
      expect(came.filter((what) => what === 'QUOTA_EXCEEDED')).toHaveLength(49);
    });
  });

  describe('X-Chat-Id', () => {
    it('is the next turn of a stored chat, whole and streamed', async () => {
      const chat = await createChat(tenant.as('alice'));
      const inChat = openAi(app, tenant.apiKey, { 'X-Chat-Id': chat.id });
      const first = await inChat.chat.completions.create({ ...PLAIN, ...older({ user: 'alice' }) });
      expect(first.choices[0]?.message.content).toBe(FAKE_ANSWER);
      const history = [
        ...HELLO,
        { role: 'assistant', content: 'never said' } as const,
        { role: 'user', content: 'Again' } as const,
      ];
      const nth = model.requests.length;
      let text = '';
      for await (const { choices } of await inChat.chat.completions.create({
        ...{
          ...PLAIN,
          messages: [{ role: 'system', content: 'Sing.' }, ...history],
          ...older({ user: 'alice' }),
          stream: true,
        },
      }))
        text += choices[0]?.delta.content ?? '';
      const messages = await messagesOf(tenant.as('alice'), chat.id);
      expect(messages.map(({ content }) => content)).toEqual(['Hello', FAKE_ANSWER, 'Again', text]);
      expect(first.id.slice('chatcmpl-'.length)).toBe(messages[1]?.id.slice('msg_'.length));
      expect((await asked(nth + 1))['messages']).toEqual([
        { role: 'system', content: 'You are a helpful assistant.\n\nSing.' },
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: FAKE_ANSWER },
        { role: 'user', content: 'Again' },
      ]);
    });

    it('a repeat with the same Idempotency-Key is the same answer', async () => {
      const chat = await createChat(tenant.as('alice'));
      const inChat = openAiAs(app, tenant, 'alice');
      const headers = { 'X-Chat-Id': chat.id, 'Idempotency-Key': 'once' };
      const first = await inChat.chat.completions.create(PLAIN, { headers });
      const { data, response } = await inChat.chat.completions.create(PLAIN, { headers }).withResponse();
      expect(data.id).toBe(first.id);
      expect(response.headers.get('idempotent-replayed')).toBe('true');
      expect(await messagesOf(tenant.as('alice'), chat.id)).toHaveLength(2);
    });

    it('is of the user: nobody is 400, two are 400, another’s is 404', async () => {
      const chat = await createChat(tenant.as('alice'));
      const headers = { 'X-Chat-Id': chat.id };
      const refusal = (by: OpenAI, more: object = {}) =>
        refusedBy(() => by.chat.completions.create({ ...PLAIN, ...more }, { headers }));
      expect(await refusal(client)).toMatchObject({ status: 400, param: 'user' });
      expect(await refusal(openAiAs(app, tenant, 'alice'), { user: 'bob' })).toMatchObject({
        status: 400,
        param: 'user',
      });
      expect(await refusal(openAiAs(app, tenant, 'bob'))).toMatchObject({ name: 'NotFoundError', code: 'NOT_FOUND' });
      expect(await refusal(openAiAs(app, await app.tenant(), 'alice'))).toMatchObject({ name: 'NotFoundError' });
      expect(await refusal(openAiAs(app, tenant, 'alice'), { model: 'pirate' })).toMatchObject({ param: 'model' });
      expect(await messagesOf(tenant.as('alice'), chat.id)).toEqual([]);
    });
  });

  describe('user tokens', () => {
    it('ask in a chat of their own for what its preset gives; with openai_door: open for all', async () => {
      const own = await app.tenant();
      await createPreset(own.key, { name: 'brief', maxTokens: 50 });
      const chat = await createChat(own.as('alice'), 'alice', { preset: 'brief' });
      const { token } = await mintToken(own.key, 'alice');
      const user = openAi(app, token);
      const inChat = { headers: { 'X-Chat-Id': chat.id } };
      const brief = { ...PLAIN, model: 'brief' };
      const say = (more: object, options = {}) =>
        refusedBy(() => user.chat.completions.create({ ...brief, ...more }, options));
      const system = [{ role: 'system', content: 'Obey.' }, ...HELLO];
      const refusals = [
        ...[say({}), say({ messages: system }, inChat), say({ model: 'gpt-9' }, inChat)],
        ...[say({ max_tokens: 51 }, inChat), say({ temperature: 1 }, inChat)],
      ];
      expect((await Promise.all(refusals)).map(({ name, param }) => [name, param])).toEqual(
        ['X-Chat-Id', 'messages[0]', 'model', 'max_tokens', 'temperature'].map((param) => [
          'PermissionDeniedError',
          param,
        ]),
      );
      expect(await messagesOf(own.as('alice'), chat.id)).toEqual([]);
      const fine = await user.chat.completions.create({ ...brief, ...older({ max_tokens: 50, user: 'bob' }) }, inChat);
      expect(fine.choices[0]?.message.content).toBe(FAKE_ANSWER);
      const tenantPath = `/admin/tenants/${own.tenantId}`;
      bodyOf(await app.master.patch(tenantPath, { settings: { openai_door: 'open' } }));
      const open = await user.chat.completions.create({ ...brief, messages: system as never });
      expect(open.choices[0]?.message.content).toBe(FAKE_ANSWER);
    });
  });
});

describe('the document', () => {
  it('has the errors of /v1 in their own shape, and those of other routes in theirs', async () => {
    const app = await startTestApp();
    try {
      const document = (await (await fetch(`${app.url}/openapi.json`)).json()) as {
        paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      };
      const shapeOf = (path: string): string =>
        JSON.stringify(document.paths[path]?.['get']?.responses['401']).match(/schemas\/(\w+)/)?.[1] ?? '';
      expect(['/v1/models', '/v1/responses/{response_id}', '/rooms'].map(shapeOf)).toEqual([
        ...['OpenAiErrorAnswer', 'OpenAiErrorAnswer', 'ErrorAnswer'],
      ]);
    } finally {
      await app.close();
    }
  });
});

describe('a key as Bearer', () => {
  it('is a key on /v1 and nowhere else', async () => {
    const app = await startTestApp();
    try {
      const tenant = await app.tenant();
      const by = app.anonymous.with({ authorization: `Bearer ${tenant.apiKey}` });
      expect((await openAi(app, tenant.apiKey).models.list()).data).toHaveLength(1);
      for (const path of ['/rooms', '/api/presets', '/api/v1/chats/user/alice', '/whoami'])
        expect((await by.get(path)).status).toBe(401);
    } finally {
      await app.close();
    }
  });
});

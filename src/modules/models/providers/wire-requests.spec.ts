import fc from 'fast-check';
import { ANTHROPIC_WIRE } from '../../../../test/support/models/anthropic-wire';
import { WIRE } from '../../../../test/support/models/channels';
import { GOOGLE_WIRE } from '../../../../test/support/models/google-wire';
import { read, requestOf } from '../../../../test/support/models/recorded';
import { type AnswerOptions, REASONING_EFFORTS } from '../contract';
import { ANTHROPIC, GOOGLE, OPENAI_COMPATIBLE } from './registry';

const SCHEMA = { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false };
const FORMAT = { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA, strict: true } } as const;
/** As one writes it who does not know OpenAI's strict schemas. */
const OPEN = {
  type: 'json_schema',
  json_schema: { name: 'answer', schema: { type: 'object', properties: { a: { type: 'object' } } } },
} as const;
const ALL = { temperature: 1.5, topP: 0.5, maxTokens: 4000, stop: ['END'], seed: 7 };
const MESSAGES = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'one' },
  { role: 'user', content: 'two' },
  { role: 'assistant', content: ' ' },
  { role: 'system', content: 'Be polite.' },
  { role: 'assistant', content: 'three' },
  { role: 'user', content: 'four' },
] as const;
const spoken = { ...WIRE, systemRole: 'user' } as const;

describe('what Anthropic is sent', () => {
  const bodyOf = async (...asked: Parameters<typeof requestOf> extends [unknown, ...infer R] ? R : never) =>
    (await requestOf(ANTHROPIC, ...asked)).body;

  it('the system prompt apart, the others in turn, and nothing that nobody asked for', async () => {
    const { url, headers, body } = await requestOf(ANTHROPIC, { messages: MESSAGES });
    expect(url).toBe('/v1/messages');
    expect(headers).toMatchObject({ 'x-api-key': 'sk-secret', 'anthropic-version': '2023-06-01' });
    expect(headers).not.toHaveProperty('authorization');
    expect(body).toEqual({
      ...{ model: 'm1', max_tokens: 4096, stream: true, system: 'Be brief.\n\nBe polite.' },
      messages: [
        { role: 'user', content: 'one\n\ntwo' },
        { role: 'assistant', content: 'three' },
        { role: 'user', content: 'four' },
      ],
    });
  });

  it('the system prompt as the first words of the user, where the channel wants it so or nobody else speaks', async () => {
    const { system, messages } = await bodyOf({ messages: MESSAGES, wire: spoken });
    expect([system, messages]).toMatchObject([
      undefined,
      [{ content: 'Be brief.\n\nBe polite.\n\none\n\ntwo' }, {}, {}],
    ]);
    const alone = await bodyOf({ messages: MESSAGES.slice(0, 1) });
    expect([alone['system'], alone['messages']]).toEqual([undefined, [{ role: 'user', content: 'Be brief.' }]]);
  });

  it('the parameters under its names, as far as it has them; a temperature takes the place of top_p', async () => {
    const { messages: _, ...body } = await bodyOf({ ...ALL, model: 'claude-haiku-4-5', responseFormat: FORMAT });
    expect(body).toEqual({
      ...{ model: 'claude-haiku-4-5', max_tokens: 4000, temperature: 1, stop_sequences: ['END'], stream: true },
      output_config: { format: { type: 'json_schema', schema: SCHEMA } },
    });
    expect(await bodyOf({ topP: 0.5 })).toMatchObject({ top_p: 0.5 });
  });

  it('a schema whose objects have no other properties, where it does not say that they have', async () => {
    const open = {
      type: 'object',
      properties: { type: { type: 'string', enum: ['object'] }, b: { $ref: '#/$defs/b' } },
    };
    const $defs = { b: { type: ['object', 'null'], additionalProperties: true }, c: { type: 'object' } };
    const schema = { ...open, $defs, required: ['type'] };
    const responseFormat = { type: 'json_schema', json_schema: { name: 'a', schema } } as const;
    expect((await bodyOf({ responseFormat }))['output_config']).toEqual({
      format: {
        type: 'json_schema',
        schema: {
          ...{ ...schema, additionalProperties: false },
          $defs: { b: $defs.b, c: { type: 'object', additionalProperties: false } },
        },
      },
    });
  });

  it.each<[string, number]>([
    ['claude-3-haiku-20240307', 4096],
    ['claude-opus-4-1', 32_000],
    ['claude-sonnet-4-5', 32_000],
    ['claude-opus-5-5', 32_000],
    ['claude-of-tomorrow', 32_000],
    ['kimi-k2', 4096],
  ])('a limit for %s where nobody names one: %d', async (model, limit) => {
    expect(await bodyOf({ model })).toMatchObject({ max_tokens: limit });
  });

  it.each<[string, AnswerOptions['reasoningEffort'], number, object]>([
    ['claude-sonnet-4-5', 'low', 10_000, { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    ['claude-sonnet-4-5', 'minimal', 2000, { thinking: { type: 'enabled', budget_tokens: 1024 } }],
    ['claude-sonnet-4-5', 'high', 1024, { temperature: 0.5 }],
    ['claude-sonnet-4-5', 'none', 10_000, { temperature: 0.5 }],
    ['claude-3-haiku-20240307', 'high', 4000, { temperature: 0.5 }],
    ['claude-opus-4-6', 'xhigh', 10_000, { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } }],
    ['claude-opus-4-7', 'xhigh', 10_000, { thinking: { type: 'adaptive' }, output_config: { effort: 'xhigh' } }],
    ['claude-opus-4-7', 'none', 10_000, { thinking: { type: 'disabled' } }],
    ['claude-sonnet-5-5', 'none', 10_000, { output_config: { effort: 'low' } }],
    ['claude-sonnet-5-5', undefined, 10_000, {}],
  ])('%s thinks with effort %s in %d tokens: %j', async (model, reasoningEffort, maxTokens, expected) => {
    const body = await bodyOf({ model, reasoningEffort, maxTokens, temperature: 0.5, topP: 0.5 });
    const { messages: _m, stream: _s, max_tokens: _t, model: _n, ...rest } = body;
    expect(rest).toEqual(expected);
  });

  it('more fields of the channel, and never in the place of ours', async () => {
    const wire = { ...WIRE, extra: { top_k: 5, temperature: 0.1, thinking: { type: 'disabled' } } };
    expect(await bodyOf({ wire, temperature: 0.9 })).toMatchObject({
      ...{ top_k: 5, temperature: 0.9, thinking: { type: 'disabled' } },
    });
  });

  it('no json_object, which it does not have: a fault of the request', async () => {
    const never = () => Promise.reject(new Error('asked'));
    const request = { messages: MESSAGES, model: 'm', wire: WIRE, signal: new AbortController().signal };
    const { fault } = await read(ANTHROPIC, never, { ...request, responseFormat: { type: 'json_object' } });
    expect(fault).toMatchObject({ reason: 'request', blame: 'request' });
  });
});

describe('what Google is sent', () => {
  const configOf = async (request: Parameters<typeof requestOf>[1]): Promise<unknown> =>
    (await requestOf(GOOGLE, request)).body['generationConfig'];

  it('the system prompt apart, the others in turn, and nothing that nobody asked for', async () => {
    const { url, headers, body } = await requestOf(GOOGLE, { messages: MESSAGES, model: 'gemini-2.5-pro' });
    expect(url).toBe('/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse');
    expect(headers).toMatchObject({ 'x-goog-api-key': 'sk-secret' });
    expect(headers).not.toHaveProperty('authorization');
    expect(body).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.\n\nBe polite.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'one\n\ntwo' }] },
        { role: 'model', parts: [{ text: 'three' }] },
        { role: 'user', parts: [{ text: 'four' }] },
      ],
    });
  });

  it.each([
    ['gemma-3-27b-it', WIRE],
    ['gemini-2.5-pro', spoken],
  ])('%s the system prompt as the first words of the user', async (model, wire) => {
    const { body } = await requestOf(GOOGLE, { messages: MESSAGES, model, wire });
    expect(body['systemInstruction']).toBeUndefined();
    expect(body['contents']).toMatchObject([{ parts: [{ text: 'Be brief.\n\nBe polite.\n\none\n\ntwo' }] }, {}, {}]);
  });

  it('the parameters under its names', async () => {
    expect(await configOf({ ...ALL, seed: 2 ** 31, responseFormat: FORMAT })).toEqual({
      ...{ temperature: 1.5, topP: 0.5, maxOutputTokens: 4000, stopSequences: ['END'], seed: -(2 ** 31) },
      ...{ responseMimeType: 'application/json', responseJsonSchema: SCHEMA },
    });
    expect(await configOf({ responseFormat: { type: 'json_object' } })).toEqual({
      responseMimeType: 'application/json',
    });
    expect(await configOf({ responseFormat: { type: 'text' } })).toBeUndefined();
  });

  it.each<[string, AnswerOptions['reasoningEffort'], object | undefined]>([
    ['gemini-2.0-flash', 'high', undefined],
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0, includeThoughts: false }],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128, includeThoughts: false }],
    ['gemini-2.5-pro', 'medium', { thinkingBudget: 8192, includeThoughts: true }],
    ['gemini-3-flash-preview', 'minimal', { thinkingLevel: 'minimal', includeThoughts: true }],
    ['gemini-3-pro-preview', 'minimal', { thinkingLevel: 'low', includeThoughts: true }],
    ['gemini-3-pro-preview', 'xhigh', { thinkingLevel: 'high', includeThoughts: true }],
    ['gemini-flash-latest', 'none', { thinkingLevel: 'minimal', includeThoughts: false }],
  ])('%s thinks with effort %s: %j', async (model, reasoningEffort, expected) => {
    expect(((await configOf({ model, reasoningEffort })) as { thinkingConfig?: object })?.thinkingConfig).toEqual(
      expected,
    );
  });

  it('more fields of the channel, also beside those of ours', async () => {
    const safetySettings = [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }];
    const wire = { ...WIRE, extra: { safetySettings, contents: [], generationConfig: { topK: 40, temperature: 0 } } };
    const { body } = await requestOf(GOOGLE, { wire, temperature: 0.9 });
    expect(body).toEqual({
      ...{ safetySettings, generationConfig: { topK: 40, temperature: 0.9 } },
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
    });
  });

  it.each<[string, string]>([
    ['models/gemini-2.5-flash', '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse'],
    ['tunedModels/my model', '/v1beta/tunedModels/my%20model:streamGenerateContent?alt=sse'],
    ['a?key=1#b:c', '/v1beta/models/a%3Fkey%3D1%23b%3Ac:streamGenerateContent?alt=sse'],
  ])('a model named %s at %s', async (model, url) => {
    expect((await requestOf(GOOGLE, { model })).url).toBe(url);
  });

  it.each(['../../admin', 'models/../x', '..', '', 'a//b', '/x'])(
    'nothing for a model named %j, which a user may have written: it leads elsewhere',
    async (model) => {
      const never = () => Promise.reject(new Error('asked'));
      const request = { messages: MESSAGES, model, wire: WIRE, signal: new AbortController().signal };
      expect((await read(GOOGLE, never, request)).fault).toMatchObject({ reason: 'model', blame: 'request' });
    },
  );
});

describe('whatever is asked for', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('', ' ', '\n', 'hi'));
  const message = fc.record({ role: fc.constantFrom('user', 'assistant', 'system'), content: text });
  const messages = fc
    .array(message, { maxLength: 8 })
    .map((between) => [
      { role: 'user' as const, content: 'first' },
      ...between,
      { role: 'user' as const, content: 'last' },
    ]);
  const options = fc.record(
    {
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      topP: fc.double({ min: 0, max: 1, noNaN: true }),
      maxTokens: fc.integer({ min: 1, max: 100_000 }),
      stop: fc.array(fc.constantFrom('a', 'END'), { minLength: 1, maxLength: 4 }),
      reasoningEffort: fc.constantFrom(...REASONING_EFFORTS),
      responseFormat: fc.constantFrom(FORMAT, OPEN, { type: 'text' as const }),
      seed: fc.maxSafeInteger(),
    },
    { requiredKeys: [] },
  );

  it.each([
    [
      ANTHROPIC,
      ANTHROPIC_WIRE,
      ['claude-3-haiku', 'claude-haiku-4-5', 'claude-opus-4-6', 'claude-opus-4-8', 'claude-sonnet-5-5', 'glm-5'],
    ],
    [
      GOOGLE,
      GOOGLE_WIRE,
      ['gemini-2.0-flash', 'gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-3-pro-preview', 'gemma-3'],
    ],
  ] as const)('$provider takes it', async (model, wire, names) => {
    await fc.assert(
      fc.asyncProperty(messages, options, fc.constantFrom(...names), async (said, wanted, name) => {
        const request = await requestOf(model, { messages: said, ...wanted, model: name });
        expect(wire.refuse(request)).toBeUndefined();
      }),
    );
  });
});

describe('a base URL', () => {
  it.each([
    [OPENAI_COMPATIBLE, 'https://x.example/v1/?api-version=1', '/v1/chat/completions?api-version=1'],
    [ANTHROPIC, 'https://x.example/anthropic/v1?api-version=1', '/anthropic/v1/messages?api-version=1'],
    [GOOGLE, 'https://x.example/v1/?a=1&b=2', '/v1/models/m1:streamGenerateContent?alt=sse&a=1&b=2'],
  ])('keeps its query: $provider', async (model, baseUrl, url) => {
    expect((await requestOf(model, {}, baseUrl)).url).toBe(url);
  });
});

import type OpenAI from 'openai';
import type { TestApp, TestTenant } from '../support/app';
import { mintToken } from '../support/auth';
import { FAKE_ANSWER, startChatApp, type WithModel } from '../support/chats/http';
import { eventsOf, openAi, openAiAs, refusedBy, type ResponseEvent, textOfResponse } from '../support/chats/openai';
import { AnswerGate, faults, type ProviderServer } from '../support/fake-model';
import { PNG_URL } from '../support/images';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';

const HELLO = { model: 'default', input: 'Hello' } as const;

describe('the OpenAI API: responses', () => {
  let app: WithModel<TestApp>;
  let model: ProviderServer;
  let tenant: TestTenant;
  let alice: OpenAI;

  beforeAll(async () => {
    app = await startChatApp({ OPENAI_VISION: 'true' });
    ({ model } = app);
    tenant = await app.tenant();
    alice = openAiAs(app, tenant, 'alice');
  });
  afterAll(() => app.close());

  const answerOf = async (id: string): Promise<string> => {
    const [row] = await app.database.sql<{ content: string }>(
      `SELECT content FROM messages WHERE message_id = replace($1, 'resp_', '')::uuid`,
      [id],
    );
    return row?.content ?? '';
  };
  const join = async (id: string, starting_after?: number): Promise<ResponseEvent[]> =>
    eventsOf(
      await alice.responses.retrieve(id, { stream: true, ...(starting_after === undefined ? {} : { starting_after }) }),
    );

  it('answers, keeps what it answers, and goes on from it', async () => {
    const first = await alice.responses.create({ ...HELLO, instructions: 'Be brief.', metadata: { a: 'b' } });
    expect(first).toMatchObject({
      object: 'response',
      status: 'completed',
      output_text: FAKE_ANSWER,
      model: 'default',
    });
    expect(first.usage).toMatchObject({ input_tokens: 11, output_tokens: 6, total_tokens: 17 });
    expect(await answerOf(first.id)).toBe(FAKE_ANSWER);
    expect(await alice.responses.retrieve(first.id)).toEqual(first);
    const nth = model.requests.length;
    const input = [{ role: 'developer', content: 'Sing.' } as const, { role: 'user', content: 'Again' } as const];
    const second = await alice.responses.create({ ...HELLO, input, previous_response_id: first.id });
    expect(second.previous_response_id).toBe(first.id);
    expect(await alice.responses.retrieve(second.id)).toEqual(second);
    expect((await alice.responses.cancel(second.id)).previous_response_id).toBe(first.id);
    expect((await model.request(nth + 1)).body['messages']).toEqual([
      { role: 'system', content: 'You are a helpful assistant.\n\nSing.' },
      { role: 'user', content: 'Hello' },
      { role: 'assistant', content: FAKE_ANSWER },
      { role: 'user', content: 'Again' },
    ]);
  });

  it('shows the model an image, stores its name alone, and says where an answer has not seen it', async () => {
    const content = [
      { type: 'input_text', text: 'What is it?' } as const,
      { type: 'input_image', image_url: PNG_URL, detail: 'auto' } as const,
    ];
    const nth = model.requests.length;
    const first = await alice.responses.create({ ...HELLO, input: [{ role: 'user', content }] });
    expect([first.status, first.metadata]).toEqual(['completed', {}]);
    const text = 'What is it?\n[image: image 1]';
    const shown = [
      { type: 'image_url', image_url: { url: PNG_URL } },
      { type: 'text', text },
    ];
    expect((await model.request(nth + 1)).body['messages']).toMatchObject([{}, { content: shown }]);
    const stored = await app.database.sql<{ room_id: string; content: string }>(
      `SELECT room_id, content FROM messages WHERE room_id =
         (SELECT room_id FROM runs WHERE run_id = replace($1, 'resp_', '')::uuid) ORDER BY seq`,
      [first.id],
    );
    expect(stored.map((row) => row.content)).toEqual([text, FAKE_ANSWER]);
    // It is kept nowhere, so an answer that is written anew has the name.
    const path = `/api/v1/chats/${stored[0]?.room_id ?? ''}/regenerate`;
    expect(bodyOf(await tenant.key.post(path))).toMatchObject({
      answer: { metadata: { images_left_out: 1 }, content: FAKE_ANSWER },
    });
    expect((await model.request(nth + 2)).body['messages']).toMatchObject([{}, { content: text }]);
  });

  it('streams, with numbers that grow; the client’s helper reads it', async () => {
    const events = await eventsOf(await alice.responses.create({ ...HELLO, stream: true }));
    expect(textOfResponse(events)).toBe(FAKE_ANSWER);
    const types = events.map(({ type }) => type).filter((type) => type !== 'response.output_text.delta');
    expect(types).toEqual(
      [
        ...['created', 'in_progress', 'output_item.added', 'content_part.added'],
        ...['output_text.done', 'content_part.done', 'output_item.done', 'completed'],
      ].map((type) => `response.${type}`),
    );
    const numbers = events.map(({ sequence_number }) => sequence_number);
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    const whole = await alice.responses.stream(HELLO).finalResponse();
    expect(whole.output_text).toBe(FAKE_ANSWER);
  });

  it('cut after each event and joined behind it, the text is the log’s', async () => {
    for (let cut = 1; cut <= 14; cut++) {
      const events = await eventsOf(await alice.responses.create({ ...HELLO, stream: true }), cut);
      const [begin] = events;
      if (begin?.type !== 'response.created') throw new Error('a stream begins with response.created');
      const rest = await join(begin.response.id, events.at(-1)?.sequence_number);
      const all = [...events, ...rest];
      expect(textOfResponse(all)).toBe(await answerOf(begin.response.id));
      expect(textOfResponse(all)).toBe(FAKE_ANSWER);
      const numbers = all.map(({ sequence_number }) => sequence_number);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      expect(all.at(-1)?.type).toBe('response.completed');
      expect(textOfResponse(await join(begin.response.id))).toBe(FAKE_ANSWER);
    }
  });

  it('in the background: is queued, joined while it is written, and goes on without a reader', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['Some ', 'words', { hold: gate }, ' and more'] });
    const { id, status, background } = await alice.responses.create({ ...HELLO, background: true });
    expect([status, background]).toEqual(['queued', true]);
    await gate.reached;
    expect((await alice.responses.retrieve(id)).status).toBe('in_progress');
    const seen: ResponseEvent[] = [];
    for await (const event of await alice.responses.retrieve(id, { stream: true })) {
      seen.push(event);
      if (textOfResponse(seen) === 'Some words') break;
    }
    gate.open();
    const rest = await join(id, seen.at(-1)?.sequence_number);
    expect([textOfResponse(seen), textOfResponse(rest)]).toEqual(['Some words', ' and more']);
    expect(await alice.responses.retrieve(id)).toMatchObject({
      status: 'completed',
      output_text: 'Some words and more',
    });
  });

  it('is cancelled, alone, with its text so far; once it has ended it stays as it is', async () => {
    const gate = new AnswerGate();
    model.next({ steps: ['Some words', { hold: gate }, ' and more'] });
    const { id } = await alice.responses.create({ ...HELLO, background: true });
    const waits = await alice.responses.create({ ...HELLO, background: true, previous_response_id: id });
    await gate.reached;
    await until(
      () => textSoFar(alice, id),
      (text) => text === 'Some words',
    );
    const cancelled = await alice.responses.cancel(id);
    expect(cancelled).toMatchObject({ status: 'cancelled' });
    expect(await answerOf(id)).toBe('Some words');
    expect((await alice.responses.cancel(id)).status).toBe('cancelled');
    gate.open();
    const next = await until(
      () => alice.responses.retrieve(waits.id),
      ({ status }) => status === 'completed',
    );
    expect((await alice.responses.cancel(next.id)).status).toBe('completed');
  });

  it('a model that fails is a response that has failed', async () => {
    model.next(faults.status(500));
    const failed = await alice.responses.create(HELLO);
    expect(failed).toMatchObject({ status: 'failed', output: [], error: { code: 'MODEL_ERROR' } });
    model.next(faults.cut('Hel', 'lo'));
    const events = await eventsOf(await alice.responses.create({ ...HELLO, stream: true }));
    expect([textOfResponse(events), events.at(-1)?.type]).toEqual(['Hello', 'response.failed']);
  });

  it('a repeat with its Idempotency-Key is the same response', async () => {
    const options = { headers: { 'Idempotency-Key': 'a-response' } };
    const first = await alice.responses.create(HELLO, options);
    expect(await alice.responses.create(HELLO, options)).toEqual(first);
    expect(await refusedBy(() => alice.responses.create({ ...HELLO, input: 'Other' }, options))).toMatchObject({
      ...{ name: 'UnprocessableEntityError', code: 'IDEMPOTENCY_MISMATCH' },
    });
  });

  it('without store nothing is kept', async () => {
    const nobody = openAi(app, tenant.apiKey);
    const input = [
      ...[{ role: 'user', content: 'One' } as const, { role: 'assistant', content: 'Two' } as const],
      { role: 'user', content: 'Three' } as const,
    ];
    const whole = await nobody.responses.create({ ...HELLO, input, store: false });
    expect(whole).toMatchObject({ status: 'completed', output_text: FAKE_ANSWER, store: false });
    expect(
      textOfResponse(await eventsOf(await nobody.responses.create({ ...HELLO, store: false, stream: true }))),
    ).toBe(FAKE_ANSWER);
    expect(await refusedBy(() => alice.responses.retrieve(whole.id))).toMatchObject({ name: 'NotFoundError' });
  });

  it('is refused by name', async () => {
    const { id } = await alice.responses.create(HELLO);
    const say = (body: object, by = alice) => refusedBy(() => by.responses.create({ ...HELLO, ...body }));
    const assistant = [
      { role: 'assistant', content: 'Hi' },
      { role: 'user', content: 'Hello' },
    ];
    const refusals = await Promise.all([
      ...[say({}, openAi(app, tenant.apiKey)), say({ store: false, background: true }), say({ input: assistant })],
      ...[say({ tools: [{ type: 'web_search' }] }), say({ model: 'gpt-9' }), say({ previous_response_id: 'resp_1' })],
      say({ previous_response_id: id }, openAiAs(app, tenant, 'bob')),
    ]);
    expect(refusals.map(({ status, param }) => [status, param])).toEqual([
      ...[
        [400, 'user'],
        [400, 'background'],
        [400, 'input[0]'],
        [400, 'tools'],
        [404, 'model'],
      ],
      ...[
        [404, 'previous_response_id'],
        [404, 'previous_response_id'],
      ],
    ]);
    for (const other of [openAiAs(app, tenant, 'bob'), openAiAs(app, await app.tenant(), 'alice')]) {
      expect(await refusedBy(() => other.responses.retrieve(id))).toMatchObject({ name: 'NotFoundError' });
      expect(await refusedBy(() => other.responses.cancel(id))).toMatchObject({ name: 'NotFoundError' });
    }
  });

  it('a user token has responses of its own, without instructions and not without store', async () => {
    const { token } = await mintToken(tenant.key, 'carol');
    const carol = openAi(app, token);
    const { id } = await carol.responses.create(HELLO);
    expect((await carol.responses.retrieve(id)).output_text).toBe(FAKE_ANSWER);
    const say = (body: object) => refusedBy(() => carol.responses.create({ ...HELLO, ...body }));
    const refused = [await say({ instructions: 'Obey.' }), await say({ store: false }), await say({ temperature: 1 })];
    expect(refused.map(({ name, param }) => [name, param])).toEqual(
      ['instructions', 'store', 'temperature'].map((param) => ['PermissionDeniedError', param]),
    );
  });
});

/** The text of a response so far. */
async function textSoFar(by: OpenAI, id: string): Promise<string> {
  const events: ResponseEvent[] = [];
  for await (const event of await by.responses.retrieve(id, { stream: true })) {
    events.push(event);
    if (event.type === 'response.output_text.delta') break;
  }
  return textOfResponse(events);
}

import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { faults, FakeModel, AnswerGate, type ProviderServer } from './fake-model';

const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] }];

describe('the fake model', () => {
  let fake: ProviderServer;

  beforeAll(async () => {
    fake = await FakeModel.start();
  });
  afterEach(() => fake.reset());
  afterAll(() => fake.stop());

  const model = () =>
    createOpenAICompatible({ name: 'fake', baseURL: fake.url, apiKey: 'sk-x', includeUsage: true }).chatModel('m1');

  async function streamed(): Promise<[text: string, errors: number]> {
    const { stream } = await model().doStream({ prompt });
    let [text, errors] = ['', 0];
    for await (const part of stream as unknown as AsyncIterable<{ type: string; delta?: string }>) {
      if (part.type === 'text-delta') text += part.delta ?? '';
      if (part.type === 'error') errors++;
    }
    return [text, errors];
  }

  it('is taken for a model by the SDK, streamed and whole', async () => {
    expect(await streamed()).toEqual(['Hello from the fake model.', 0]);
    const { content, usage } = await model().doGenerate({ prompt });
    expect(content).toEqual([{ type: 'text', text: 'Hello from the fake model.' }]);
    expect(usage.inputTokens.total).toBe(11);
    expect(fake.requests.map(({ body, headers }) => [body['model'], headers.authorization])).toEqual(
      Array(2).fill(['m1', 'Bearer sk-x']),
    );
    expect(await fake.requests[0]?.closed).toBe('whole');
  });

  it('waits at a gate, and sees when somebody hangs up', async () => {
    const gate = new AnswerGate();
    fake.next(faults.silentAfter(gate, 'Hel', 'lo'));
    const abort = new AbortController();
    const { stream } = await model().doStream({ prompt, abortSignal: abort.signal });
    await gate.reached;
    abort.abort();
    await expect(stream.pipeTo(new WritableStream())).rejects.toThrow();
    expect(await (await fake.request(1)).closed).toBe('early');
  });

  it('fails as it is told', async () => {
    fake.next(faults.status(500), faults.errorEvent('Hel'), faults.garbage('Hel'), { steps: [{ bytewise: '👩‍🚀' }] });
    await expect(streamed()).rejects.toMatchObject({ statusCode: 500 });
    expect(await streamed()).toEqual(['Hel', 1]);
    expect(await streamed()).toEqual(['Hel after', 1]);
    expect(await streamed()).toEqual(['👩‍🚀', 0]);
    fake.next(faults.cut('Hel'));
    await expect(streamed()).rejects.toThrow();
  });

  it.each([
    ['GET', '/v1/chat/completions', undefined, 404],
    ['POST', '/v1/other', '{}', 404],
    ['POST', '/v1/chat/completions', '{}', 400],
    ['POST', '/v1/chat/completions', '{"model":"m","messages":[]}', 400],
    ['POST', '/v1/chat/completions', '{"model":"m","messages":[{"role":"bot","content":"x"}]}', 400],
  ])('refuses what the real one would refuse: %s %s %s', async (method, path, body, status) => {
    const answer = await fetch(new URL(path, fake.url), { method, ...(body === undefined ? {} : { body }) });
    expect(answer.status).toBe(status);
  });
});

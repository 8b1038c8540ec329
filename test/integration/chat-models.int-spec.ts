import { ChannelFault } from '../../src/modules/models/providers/chat-model';
import { ChatModelFixture, PROVIDER_API_KEY, type Limits, SUBJECTS } from '../support/models/chat-model-fixture';
import { ProviderServer } from '../support/models/provider-server';
import { faults, AnswerGate, type ProviderScript, type AnswerStep } from '../support/models/script';

const LONG_MS = 20_000;
const SHORT_MS = 40;

/** What every provider must do, over a real connection to a fake of its protocol. */
describe.each(Object.entries(SUBJECTS))('chat model: %s', (_name, subject) => {
  let bench: ChatModelFixture;

  beforeAll(async () => {
    bench = await ChatModelFixture.start(subject);
  });
  afterEach(() => bench.server.reset());
  afterAll(() => bench.server.stop());

  describe('a good answer', () => {
    it('is whole, with the tokens that were reported', async () => {
      const { text, end, fault } = await bench.outcomeOf({ usage: { prompt: 7, cached: 4, completion: 9 } });
      expect([text, fault]).toEqual(['Hello from the fake model.', undefined]);
      expect(end).toEqual({
        type: 'end',
        finishReason: 'stop',
        usage: { promptTokens: 7, cachedPromptTokens: 4, completionTokens: 9, totalTokens: 16, estimated: false },
      });
    });

    it('asks for what is wanted, with the key', async () => {
      const messages = [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'two' },
        { role: 'user', content: 'three' },
      ] as const;
      await bench.outcomeOf({}, {}, { model: 'm2', messages, temperature: 0.5, maxTokens: 99 });
      const request = await bench.server.request(1);
      expect(request.headers[subject.keyHeader[0]]).toBe(subject.keyHeader[1](PROVIDER_API_KEY));
      // A URL is logged on the way.
      expect(request.url).not.toContain(PROVIDER_API_KEY);
      expect(subject.asked(request)).toEqual({
        model: 'm2',
        texts: ['be brief', 'one', 'two', 'three'],
        temperature: 0.5,
        maxTokens: 99,
      });
    });

    it('says nothing of what is left to the provider', async () => {
      await bench.outcomeOf({});
      expect(subject.asked(await bench.server.request(1))).toEqual({
        model: 'm1',
        texts: ['hello there'],
        maxTokens: subject.defaultMaxTokens,
      });
    });

    it('comes as it is written, and not at its end', async () => {
      const gate = new AnswerGate();
      bench.server.next({ steps: ['first', { hold: gate }, ' second'] });
      const answer = bench.parts();
      expect((await answer.next()).value).toEqual({ type: 'delta', text: 'first' });
      gate.open();
      expect((await answer.next()).value).toEqual({ type: 'delta', text: ' second' });
      expect((await answer.next()).value).toMatchObject({ type: 'end' });
      expect((await answer.next()).done).toBe(true);
    });

    it('A3: is none without any text', async () => {
      expect(await bench.faultOf({ steps: [] })).toEqual(['', 'ended its answer without any text', 'request']);
    });

    it('whose tokens are not reported is counted', async () => {
      const { end } = await bench.outcomeOf({ steps: ['twelve', ' bytes'], usage: null });
      // "hello there" has 11 bytes.
      expect(end?.usage).toEqual({ promptTokens: 3, completionTokens: 3, totalTokens: 6, estimated: true });
    });

    it.each(['length', 'content_filter', 'tool_calls'] as const)('says why it ended: %s', async (finish) => {
      expect((await bench.outcomeOf({ finish })).end?.finishReason).toBe(finish);
    });

    it('has what the model thinks apart from its text, and leaves out the tools that it calls', async () => {
      const steps: AnswerStep[] = [{ reasoning: 'hm' }, 'so', { toolCall: 'look_up' }, ' what'];
      expect(await bench.outcomeOf({ steps })).toMatchObject({ text: 'so what', thought: 'hm', fault: undefined });
    });

    it('has no more of what the model thinks than it may have of text, and counts all of it', async () => {
      const steps: AnswerStep[] = [{ reasoning: 'x'.repeat(6) }, { reasoning: '🚀'.repeat(10) }, 'Hello'];
      const { text, thought, end } = await bench.outcomeOf({ steps, usage: null }, { maxBytes: 12 });
      expect([text, thought, end?.finishReason]).toEqual(['Hello', 'xxxxxx🚀', 'stop']);
      expect(end?.usage.completionTokens).toBe(13);
    });
  });

  describe('text that is hard to hold', () => {
    it.each<[string, AnswerStep[], string]>([
      ['an emoji that comes byte by byte', [{ bytewise: '👩‍🚀é' }], '👩‍🚀é'],
      ['a NUL', ['a\u0000b'], 'a\ufffdb'],
      ['a pair in two tokens', ['a\ud83d', '\ude80b'], 'a🚀b'],
      ['half a pair', ['a\ud83d', 'b'], 'a\ufffdb'],
      ['half a pair at the end', ['a\ud83d'], 'a\ufffd'],
      ['the other half', ['\ude80b'], '\ufffdb'],
    ])('%s', async (_, steps, expected) => {
      expect(await bench.outcomeOf({ steps })).toMatchObject({ text: expected, fault: undefined });
    });
  });

  describe('a provider that fails', () => {
    it.each<[number, string, string]>([
      [400, '', 'request'],
      [401, ': it refuses the key', 'channel'],
      [402, ': its account has no money or quota left', 'channel'],
      [403, ': it refuses the key', 'channel'],
      [404, ': it does not know the model, or its base URL is wrong', 'request'],
      [408, '', 'channel'],
      [413, '', 'request'],
      [422, '', 'request'],
      [425, '', 'channel'],
      [429, '', 'pace'],
      [500, '', 'channel'],
      [503, '', 'channel'],
    ])('A8: HTTP %s says what it is about%s, and is the fault of the %s', async (status, words, blame) => {
      const about = status === 413 ? (subject.words413 ?? words) : words;
      expect(await bench.faultOf(faults.status(status))).toEqual(['', `answered HTTP ${status}${about}`, blame]);
    });

    it('with a redirect: it is not followed', async () => {
      const script = { status: 302, headers: { location: `${bench.server.url}/elsewhere` }, body: '' };
      expect(await bench.faultOf(script)).toEqual(['', 'answered HTTP 302', 'channel']);
      expect(bench.server.requests).toHaveLength(1);
    });

    it('with a page, good or bad', async () => {
      expect((await bench.faultOf(faults.html(200)))[1]).toMatch(/text\/html .*base URL/);
      expect((await bench.faultOf(faults.html(502)))[1]).toBe('answered HTTP 502');
    });

    it('with an endless error', async () => {
      expect((await bench.faultOf({ status: 500, body: 'x'.repeat(500_000) }))[1]).toBe('answered HTTP 500');
    });

    it('with an endless answer', async () => {
      expect((await bench.faultOf({ steps: ['start', 'x'.repeat(1_100_000)] }))[1]).toMatch(/longer than|cut/);
    });

    it.each<[string, (...before: string[]) => ProviderScript]>([
      ['something that is not understood', faults.garbage],
      ['an error in its answer', faults.errorEvent],
      ['a cut connection', faults.cut],
      ['an end without a word', faults.endless],
    ])('with %s, before and after the first token', async (_, script) => {
      expect((await bench.faultOf(script()))[0]).toBe('');
      expect((await bench.faultOf(script('Hel', 'lo')))[0]).toBe('Hello');
    });

    it('by not being there', async () => {
      const gone = await ProviderServer.start(subject.wire);
      const { url } = gone;
      await gone.stop();
      const { fault } = await bench.outcomeOf({}, {}, {}, url);
      expect(fault).toBeInstanceOf(ChannelFault);
      expect((fault as ChannelFault).message).toBe('the connection failed (ECONNREFUSED)');
    });
  });

  describe('a provider that falls silent', () => {
    it.each<[string, (gate: AnswerGate) => ProviderScript, Limits, string]>([
      ['before its headers', faults.silentBeforeHeaders, { firstMs: SHORT_MS }, ''],
      ['before the first token', (gate) => faults.silentAfter(gate), { firstMs: SHORT_MS, idleMs: SHORT_MS }, ''],
      ['between two tokens', (gate) => faults.silentAfter(gate, 'Hel', 'lo'), { idleMs: SHORT_MS }, 'Hello'],
    ])('%s is given up, and its connection closed', async (_, script, limits, said) => {
      const gate = new AnswerGate();
      const [text, message] = await bench.faultOf(script(gate), limits);
      expect([text, message]).toEqual([said, 'said nothing for 0.04 s']);
      expect(await (await bench.server.request(1)).closed).toBe('early');
      gate.open();
    });

    it('has to be done in time, however lively it is', async () => {
      const gate = new AnswerGate();
      const [, message] = await bench.faultOf(faults.silentAfter(gate, 'Hel'), { totalMs: 300 });
      expect(message).toBe('took longer than 0.3 s');
      expect(await (await bench.server.request(1)).closed).toBe('early');
      gate.open();
    });

    it('a sign of life that is not shown is one', async () => {
      const gate = new AnswerGate();
      const script = { steps: [{ reasoning: 'hm' }, { hold: gate }, 'late'] };
      const [, message] = await bench.faultOf(script, { firstMs: LONG_MS, idleMs: SHORT_MS });
      expect(message).toBe('said nothing for 0.04 s');
      gate.open();
    });
  });

  describe('a caller who wants no more', () => {
    it.each<[string, (gate: AnswerGate) => ProviderScript]>([
      ['before the headers', faults.silentBeforeHeaders],
      ['before the first token', (gate) => faults.silentAfter(gate)],
      ['in the middle', (gate) => faults.silentAfter(gate, 'Hel', 'lo')],
    ])('%s: it ends with their reason, and the connection is closed', async (_, script) => {
      const [gate, abort, reason] = [new AnswerGate(), new AbortController(), new Error('stopped')];
      const outcome = bench.outcomeOf(script(gate), {}, { signal: abort.signal });
      await gate.reached;
      abort.abort(reason);
      expect((await outcome).fault).toBe(reason);
      expect(await (await bench.server.request(1)).closed).toBe('early');
      gate.open();
    });

    it('from the start: nobody is asked', async () => {
      const reason = new Error('stopped');
      expect((await bench.outcomeOf({}, {}, { signal: AbortSignal.abort(reason) })).fault).toBe(reason);
      expect(bench.server.requests).toHaveLength(0);
    });

    it('leaving closes the connection too', async () => {
      const gate = new AnswerGate();
      bench.server.next(faults.silentAfter(gate, 'Hel'));
      for await (const part of bench.parts()) if (part.type === 'delta') break;
      expect(await (await bench.server.request(1)).closed).toBe('early');
      gate.open();
    });
  });
});

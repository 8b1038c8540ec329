import { ManualClock } from '../../src/common/time';
import { faultReasonOf, imageOfUrl, type ModelMessage, type ModelPart } from '../../src/modules/models';
import { ChannelChoice } from '../../src/modules/models/routing/channel-choice';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { outboundPost } from '../../src/platform/outbound';
import { PNG, PNG_URL } from '../support/images';
import { endpointTo, testChannel, testModels } from '../support/models/channels';
import { type ChatModelSubject, SUBJECTS } from '../support/models/chat-model-fixture';
import { ANTHROPIC_MATRIX } from '../support/models/matrix/anthropic';
import { GOOGLE_MATRIX } from '../support/models/matrix/google';
import { type Matrix, type Outcome, rowOf } from '../support/models/matrix/matrix';
import { OPENAI_MATRIX } from '../support/models/matrix/openai';
import { ProviderServer } from '../support/models/provider-server';
import { AnswerGate, bare, type ProviderScript } from '../support/models/script';

const BOUNDS = { allowPrivate: true, connectMs: 20_000, maxBytes: 1_000_000, maxErrorBytes: 65_536 };

/** Provider × fault × stage. A new protocol is a table of its own, and a line here. */
const MATRICES: Readonly<Record<string, Matrix>> = {
  'openai-compatible': OPENAI_MATRIX,
  anthropic: ANTHROPIC_MATRIX,
  google: GOOGLE_MATRIX,
};

function subjectOf(provider: string): ChatModelSubject {
  const subject = SUBJECTS[provider];
  if (subject === undefined) throw new Error(`no subject ${provider}`);
  return subject;
}

it('every protocol has its table', () => {
  expect(Object.keys(MATRICES).sort()).toEqual(Object.keys(SUBJECTS).sort());
});

describe.each(Object.entries(MATRICES))(
  'what %s does, and what comes of it',
  (provider, { cases, text, finish, account }) => {
    const { model, wire, shown, lastContent } = subjectOf(provider);
    const servers = {} as Record<'main' | 'spare', ProviderServer>;

    beforeAll(async () => {
      servers.main = await ProviderServer.start(wire);
      servers.spare = await ProviderServer.start(wire);
    });
    afterEach(() => Object.values(servers).forEach((server) => server.reset()));
    afterAll(() => Promise.all(Object.values(servers).map((server) => server.stop())));
    // One write: other workers write too.
    afterAll(() => void process.stdout.write(`${rows.join('\n')}\n`));
    const rows: string[] = [];

    function asking(
      maxAnswerBytes = 1_048_576,
      { sees = false, message = { role: 'user', content: 'hi' } }: { sees?: boolean; message?: ModelMessage } = {},
    ): () => Promise<{ parts: ModelPart[]; error: unknown }> {
      const channels = (['main', 'spare'] as const).map((name, priority) =>
        testChannel(name, {
          ...{ priority, provider, vision: sees },
          endpoint: () => endpointTo(servers[name].url, outboundPost(BOUNDS), 'sk-x', model.defaultAuthHeader),
        }),
      );
      const choice = new ChannelChoice(
        { of: () => Promise.resolve(channels) },
        { environment: undefined, echo: testChannel('echo') },
      );
      const log = new SilentLog();
      const models = testModels({ choice, log, metrics: new Metrics(log), clock: new ManualClock(), maxAnswerBytes });
      return async () => {
        const parts: ModelPart[] = [];
        const request = {
          tenantId: 't',
          messages: [message],
          signal: new AbortController().signal,
        };
        try {
          for await (const part of models.streamAnswer(request)) parts.push(part);
        } catch (error) {
          return { parts, error };
        }
        return { parts, error: undefined };
      };
    }

    const textOf = (parts: readonly ModelPart[], type: 'delta' | 'reasoning' = 'delta'): string =>
      parts.map((part) => (part.type === type && 'text' in part ? part.text : '')).join('');

    async function check(outcome: Outcome, ask: ReturnType<typeof asking>): Promise<void> {
      const { parts, error } = await ask();
      const start = parts.flatMap((part) => (part.type === 'start' ? [part.channel] : []))[0];
      if ('text' in outcome) {
        expect([start, textOf(parts), error]).toEqual(['main', outcome.text, undefined]);
        expect(parts.at(-1)).toMatchObject({ type: 'end', finishReason: outcome.finish });
        if (outcome.thought !== undefined) expect(textOf(parts, 'reasoning')).toBe(outcome.thought);
      } else if ('cutAfter' in outcome) {
        expect([start, textOf(parts)]).toEqual(['main', outcome.cutAfter]);
        expect(error).toMatchObject({ code: 'MODEL_ERROR', message: expect.stringMatching(/^The answer was cut/) });
      } else if ('fails' in outcome) {
        expect([start, faultReasonOf(error), servers.spare.requests.length]).toEqual([undefined, outcome.fails, 0]);
      } else {
        expect([start, textOf(parts), error]).toEqual(['spare', 'Hello from the fake model.', undefined]);
        await checkBlame(outcome.fallback, ask);
      }
    }

    /** A channel's fifth fault in a row closes it, a request's never, and a wish for a slower pace at once. */
    async function checkBlame(blame: 'channel' | 'request' | 'pace', ask: ReturnType<typeof asking>): Promise<void> {
      for (let i = 0; i < 5; i++) await ask();
      expect(servers.main.requests).toHaveLength({ channel: 5, request: 6, pace: 1 }[blame]);
    }

    it.each(cases)('%s | %s', async (...row) => {
      const [, , script, outcome] = row;
      servers.main.otherwise = script;
      await check(outcome, asking());
      rows.push(rowOf(provider, row));
    });

    it.each([true, false])('an image | asked | a channel that is shown images: %s', async (sees) => {
      const text = 'what is it? [image: a.png]';
      const image = imageOfUrl(PNG_URL, 'image');
      const { parts, error } = await asking(undefined, {
        sees,
        message: { role: 'user', content: text, images: [image] },
      })();
      expect([textOf(parts), error]).toEqual(['Hello from the fake model.', undefined]);
      const [request] = servers.main.requests;
      const content = request && lastContent(request);
      if (sees) expect(content).toEqual(shown(PNG.toString('base64'), text));
      else expect(JSON.stringify(content)).toMatch(/^(\[\{"text":)?"what is it\? \[image: a\.png\]"(\}\])?$/);
      const start = parts.find(({ type }) => type === 'start');
      expect(start).toEqual({
        type: 'start',
        channel: 'main',
        model: 'model-of-main',
        ...(sees ? {} : { imagesLeftOut: 1 }),
      });
      const came = sees
        ? 'the image, and the text that names it'
        : 'the text that names it; it is left out, and said so';
      rows.push([provider.padEnd(17), 'asked'.padEnd(26), 'an image'.padEnd(76), came].join(' '));
    });

    it('an image that its provider refuses is the fault of the request', async () => {
      const bad = { mediaType: 'image/png', base64: Buffer.from('no image').toString('base64'), tokens: 1 } as const;
      const message = { role: 'user', content: '[image: a.png]', images: [bad] } as const;
      const ask = asking(undefined, { sees: true, message });
      expect(faultReasonOf((await ask()).error)).toBe('request');
      for (let i = 0; i < 5; i++) await ask();
      expect([servers.main.requests.length, servers.spare.requests.length]).toEqual([6, 6]);
    });

    it('A11: a connection that stays open after the finish holds the answer for 2 s, and no longer', async () => {
      const gate = new AnswerGate();
      servers.main.next({ bare: true, steps: [...(bare(text('Hello'), finish).steps ?? []), { hold: gate }] });
      const { parts, error } = await asking()();
      expect([textOf(parts), error, parts.at(-1)]).toMatchObject(['Hello', undefined, { finishReason: 'stop' }]);
      expect(await (await servers.main.request(1)).closed).toBe('early');
      gate.open();
    });

    it('A11: what is told between the finish and 2 s later counts: the tokens', async () => {
      const gate = new AnswerGate();
      servers.main.next({
        bare: true,
        steps: [...(bare(text('Hello'), finish, account).steps ?? []), { hold: gate }],
      });
      const { parts } = await asking()();
      expect(parts.at(-1)).toMatchObject({ usage: { promptTokens: 70, completionTokens: 7, estimated: false } });
      gate.open();
    });

    it('A17: an answer ends with `length` where it is as long as it may be, between two characters', async () => {
      servers.main.next({ steps: ['x'.repeat(1022), '🚀', ' and so on', ' for ever'] });
      const { parts, error } = await asking(1024)();
      expect([textOf(parts), error]).toEqual(['x'.repeat(1022), undefined]);
      expect(parts.at(-1)).toMatchObject({ finishReason: 'length', usage: { completionTokens: 256, estimated: true } });
      expect(await (await servers.main.request(1)).closed).toBe('early');
    });

    it.each<[string, ProviderScript]>([
      ['zeros', { steps: ['Hello'], usage: { prompt: 0, completion: 0 } }],
      ['nothing', { steps: ['Hello'], usage: null }],
    ])('A5: %s reported for a text is estimated, reasoning included', async (_, script) => {
      servers.main.next({ ...script, steps: [{ reasoning: 'x'.repeat(400) }, 'Hello'] });
      const { parts } = await asking()();
      expect(parts.at(-1)).toMatchObject({ usage: { promptTokens: 1, completionTokens: 102, estimated: true } });
    });
  },
);

import fc from 'fast-check';
import { SUBJECTS } from '../../../../test/support/models/chat-model-fixture';
import { answering, read } from '../../../../test/support/models/recorded';
import type { WireRequest } from '../../../../test/support/models/provider-server';
import type { RawPart } from './chat-model';

const SCRIPT = { usage: { prompt: 70, cached: 60, completion: 9 } };
const BOM = '\ufeff';

/** What is read, whichever parts it came in. */
function sumOf(parts: readonly RawPart[]): unknown {
  const textOf = (type: 'text' | 'reasoning'): string =>
    parts.map((part) => (part.type === type ? part.text : '')).join('');
  return [textOf('text'), textOf('reasoning'), parts.at(-1)];
}

describe.each(Object.entries(SUBJECTS))('an answer of %s', (_name, { model, wire }) => {
  const request: WireRequest = {
    method: 'POST',
    url: '/models/m1:x',
    headers: {},
    body: { model: 'm1', stream_options: { include_usage: true } },
  };
  const answers = fc.record({
    steps: fc.array(fc.tuple(fc.constantFrom('token', 'reasoning'), fc.string({ minLength: 1, unit: 'grapheme' })), {
      minLength: 1,
      maxLength: 6,
    }),
    end: fc.constantFrom('\n', '\r\n', '\r'),
    hasBom: fc.boolean(),
    comment: fc.constantFrom('', ': keep alive\n\n', 'event: ping\ndata: {"type": "ping"}\n\n'),
    cuts: fc.array(fc.nat(10_000), { maxLength: 12 }),
  });

  it('is the same wherever its bytes are cut, and whatever ends its lines', async () => {
    await fc.assert(
      fc.asyncProperty(answers, async ({ steps, end, hasBom, comment, cuts }) => {
        const asked = { ...request };
        const events = steps.map(([kind, text]) => wire[kind](asked, text));
        const whole = wire.begin(asked, SCRIPT) + comment + events.join('') + wire.end(asked, 9, SCRIPT);
        const bytes = Buffer.from((hasBom ? BOM : '') + whole.replaceAll(/\r?\n/g, end));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
        const pieces = at.slice(1).map((to, i) => bytes.subarray(at[i], to));
        const { parts, fault } = await read(model, answering(...pieces));
        expect(fault).toBeUndefined();
        expect(sumOf(parts)).toEqual([
          steps.map(([kind, text]) => (kind === 'token' ? text : '')).join(''),
          steps.map(([kind, text]) => (kind === 'reasoning' ? text : '')).join(''),
          { type: 'finished', finishReason: 'stop', promptTokens: 70, cachedPromptTokens: 60, completionTokens: 9 },
        ]);
      }),
    );
  });
});

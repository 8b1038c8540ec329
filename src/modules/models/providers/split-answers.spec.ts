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

  /** A good answer, event by event, as documents. */
  const good = (): unknown[] => {
    const asked = { ...request };
    const text =
      wire.begin(asked, SCRIPT) + wire.reasoning(asked, 'hm') + wire.token(asked, 'Hello') + wire.end(asked, 9, SCRIPT);
    const data = text.split(/\r?\n/).filter((line) => /^data: {/.test(line));
    return data.map((line) => JSON.parse(line.slice('data: '.length)) as unknown);
  };
  const strange = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom<unknown>(null, 0, '', [null], {}, 'error'));
  const change = fc.record({ path: fc.array(fc.nat(20), { minLength: 1, maxLength: 8 }), value: strange });

  it('may hold anything anywhere: it is read, or a fault of the provider, and never one of ours', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const documents = changes.reduce(
          (before, { path, value }) => changed(before, path, value) as unknown[],
          good(),
        );
        const events = documents.map((each) => Buffer.from(`data: ${JSON.stringify(each)}\n\n`));
        const { parts, fault } = await read(model, answering(...events));
        // What the stream itself does not foresee.
        expect(fault?.message).not.toBe('cut its answer');
        for (const part of parts) if (part.type !== 'finished') expect(part.text).not.toHaveLength(0);
      }),
      { numRuns: 3000 },
    );
  });
});

/** The same with another value at a path, each step of which picks among what is there; the list itself stays one. */
function changed(document: unknown, [step = 0, ...rest]: readonly number[], value: unknown, depth = 0): unknown {
  if (typeof document !== 'object' || document === null || Object.keys(document).length === 0) return value;
  const keys = Object.keys(document);
  const key = keys[step % keys.length] ?? '';
  const inner: unknown = (document as Readonly<Record<string, unknown>>)[key];
  const other = rest.length === 0 && depth > 0 ? value : changed(inner, rest, value, depth + 1);
  if (Array.isArray(document)) return document.map((each: unknown, i) => (String(i) === key ? other : each));
  return { ...document, [key]: other };
}

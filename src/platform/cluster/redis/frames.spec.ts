import fc from 'fast-check';
import { runs } from '../../../../test/support/timing';
import {
  encodeEnvelope,
  ENVELOPE_BYTES,
  type EnvelopeItem,
  isPosition,
  readHead,
  readItems,
  splitItems,
} from './frames';

const NODE = '019aa1c2-d3e4-7f50-8171-829304a5b6c7';
const items = fc.array(
  fc.record({
    topic: fc.integer({ min: 1, max: 255 }),
    address: fc.string({ maxLength: 60 }),
    json: fc.json(),
  }),
  { maxLength: 20 },
);

function read(bytes: Buffer): EnvelopeItem[] | undefined {
  const found: EnvelopeItem[] = [];
  const skipped = readItems(bytes, ({ topic, address, start, end }) =>
    found.push({ topic, address, json: bytes.toString('utf8', start, end) }),
  );
  return skipped === undefined ? undefined : found;
}

describe('envelopes', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(items, fc.nat(0xffff), fc.nat(2 ** 47), (all, lane, n) => {
        const bytes = encodeEnvelope({ nodeId: NODE, lane, n }, all);
        expect(readHead(bytes)).toEqual({ nodeId: NODE, lane, n });
        expect(read(bytes)).toEqual(all);
        expect(isPosition(bytes)).toBe(all.length === 0);
      }),
      { numRuns: runs(200) },
    );
  });

  it('that end anywhere within an item are no envelopes, and end nowhere else', () => {
    const bytes = encodeEnvelope({ nodeId: NODE, lane: 0, n: 1 }, [
      { topic: 1, address: 'r:t/1', json: '{"a":1}' },
      { topic: 2, address: '', json: '0' },
    ]);
    const first = 29 + 7 + 5 + 7;
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length);
      expect(readHead(cut) !== undefined).toBe(length >= 29);
      if (length > 29) expect(read(cut) !== undefined).toBe(length === first);
    }
  });

  it('stay what they are: releases that run beside this one read them', () => {
    const bytes = encodeEnvelope({ nodeId: NODE, lane: 3, n: 258 }, [{ topic: 7, address: 'r:t/1', json: '"ü"' }]);
    expect(bytes.toString('hex')).toBe(
      [
        ...['4348', '10', '0000', NODE.replaceAll('-', ''), '0003', '000000000102'],
        ...['07', '00', '05', '723a742f31', '00000004', '22c3bc22'],
      ].join(''),
    );
  });

  it('are filled in order up to their size; an item that is longer is alone', () => {
    const sizes = fc.array(fc.oneof(fc.nat(2000), fc.nat(3 * ENVELOPE_BYTES)), { maxLength: 60 });
    fc.assert(
      fc.property(sizes, (lengths) => {
        const all = lengths.map((length, n) => ({ topic: 1, address: `${n}`, json: '0'.repeat(length) }));
        const envelopes = splitItems(all);
        expect(envelopes.flat()).toEqual(all);
        const bytes = envelopes.map((each) => encodeEnvelope({ nodeId: NODE, lane: 0, n: 1 }, each).length);
        for (const [n, each] of envelopes.entries())
          if (each.length > 1) expect(bytes[n]).toBeLessThanOrEqual(ENVELOPE_BYTES);
        // Two that follow each other would not fit into one.
        for (let n = 1; n < bytes.length; n++) {
          const [next] = envelopes[n] ?? [];
          const fits = (bytes[n - 1] ?? 0) + 7 + (next?.address.length ?? 0) + (next?.json.length ?? 0);
          expect(fits).toBeGreaterThan(ENVELOPE_BYTES);
        }
      }),
      { numRuns: runs(100) },
    );
  });
});

import { encodeFrame, OpenBatch, toWire } from './wire';

/** What a client reads from the bytes: the texts of whole, unmasked, single text frames. */
function texts(bytes: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    expect(bytes.readUInt8(at)).toBe(0x81);
    const short = bytes.readUInt8(at + 1);
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    found.push(bytes.toString('utf8', start, (at = start + length)));
  }
  return found;
}

describe('frames on the wire', () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 300_000])('of %d bytes are one text frame', (length) => {
    const text = 'x'.repeat(length);
    expect(texts(encodeFrame(text))).toEqual([text]);
  });

  it('count bytes, not characters', () => {
    const frame = { type: 'message', content: 'Grüße 👋🏽'.repeat(20) };
    expect(texts(toWire(frame))).toEqual([JSON.stringify(frame)]);
  });
});

describe('a batch', () => {
  it('holds its frames in order, joined once for all', () => {
    const batch = new OpenBatch();
    for (const text of ['a', 'bb', 'c'.repeat(200)]) batch.add(encodeFrame(text));
    const joined = batch.joined();
    expect(texts(joined)).toEqual(['a', 'bb', 'c'.repeat(200)]);
    expect([batch.bytes, batch.frames]).toEqual([joined.length, 3]);
    expect(batch.joined()).toBe(joined);
  });

  it('of one frame is that frame, not a copy', () => {
    const batch = new OpenBatch();
    const frame = encodeFrame('a');
    batch.add(frame);
    expect(batch.joined()).toBe(frame);
  });

  it('does not grow once it is sealed, by whoever seals it or by the flush', () => {
    const [sealed, flushed] = [new OpenBatch(), new OpenBatch()];
    sealed.seal();
    flushed.joined();
    for (const batch of [sealed, flushed]) {
      expect(batch.sealed).toBe(true);
      expect(() => batch.add(encodeFrame('late'))).toThrow('sealed');
    }
  });
});

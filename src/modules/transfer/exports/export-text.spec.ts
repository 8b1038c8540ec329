import { createHash } from 'node:crypto';
import { ExportText, lineText, type LinesOfKind } from './export-text';

const KEYS = { user: ['user_id', 'name'], room: ['room_id'] };
const SHAPE = { header: { kind: 'test' }, keys: KEYS };

async function* parts(...all: LinesOfKind[]): AsyncGenerator<LinesOfKind> {
  for (const part of all) yield await Promise.resolve(part);
}

async function textOf(text: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of text) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('the text of an export', () => {
  it('has the fields of a line in the order of the format, whatever order they come in', () => {
    expect(lineText('user', KEYS.user, { name: null, user_id: 'ä\u2028"' })).toBe(
      '{"kind":"user","user_id":"ä\u2028\\"","name":null}',
    );
    expect(lineText('room', ['at'], { at: new Date(0) })).toBe('{"kind":"room","at":"1970-01-01T00:00:00.000Z"}');
  });

  it('refuses a field that the format has not, and one that is missing', () => {
    expect(() => lineText('user', KEYS.user, { user_id: 'a', name: null, secret: 'x' })).toThrow('has not: secret');
    expect(() => lineText('user', KEYS.user, { user_id: 'a' })).toThrow('has no name');
  });

  it('begins with the header, and ends with what was counted and its hash', async () => {
    const text = new ExportText(SHAPE);
    const said = await textOf(text.chunks(parts({ kind: 'room', rows: [{ room_id: 'r' }, { room_id: 's' }] })));
    const lines = '{"kind":"room","room_id":"r"}\n{"kind":"room","room_id":"s"}\n';
    const sha256 = createHash('sha256').update(lines).digest('hex');
    const end = `{"kind":"end","counts":{"user":0,"room":2},"sha256":"${sha256}"}`;
    expect(said).toBe(`{"kind":"test"}\n${lines}${end}\n`);
    expect(text.lines).toBe(2);
  });

  it('is made as it is asked for: what was read ahead is one page and one chunk', async () => {
    const [page, size, total] = [100, 1000, 20_000];
    let read = 0;
    async function* source(): AsyncGenerator<LinesOfKind> {
      for (let n = 0; n < total; n += page) {
        read += page;
        yield await Promise.resolve({
          kind: 'room',
          rows: Array.from({ length: page }, () => ({ room_id: 'x'.repeat(size) })),
        });
      }
    }
    let [sent, most] = [0, 0];
    for await (const chunk of new ExportText(SHAPE).chunks(source())) {
      most = Math.max(most, read * size - sent);
      sent += chunk.length;
    }
    expect(read).toBe(total);
    expect(sent).toBeGreaterThan(total * size);
    expect(most).toBeLessThan(2 * page * size + 128 * 1024);
  });
});

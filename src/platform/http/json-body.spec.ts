import { AppError } from '../../common/errors';
import { parseJsonBody } from './json-body';

function refusal(raw: Buffer | string): string {
  try {
    parseJsonBody(Buffer.from(raw));
  } catch (error) {
    if (error instanceof AppError && error.status === 400) return error.message;
    throw error;
  }
  throw new Error('the body was taken');
}

describe('JSON bodies', () => {
  it('are parsed as UTF-8, and an empty one is none', () => {
    expect(parseJsonBody(Buffer.from('{"a":"é😀"}'))).toEqual({ a: 'é😀' });
    expect(parseJsonBody(Buffer.alloc(0))).toBeUndefined();
  });

  it.each<[string, Buffer | string, string]>([
    ['a lone continuation byte', Buffer.from([0x22, 0x80, 0x22]), 'The body is not valid UTF-8'],
    ['an overlong form', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'The body is not valid UTF-8'],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'The body is not valid UTF-8'],
    ['a cut character', Buffer.from('"é').subarray(0, 2), 'The body is not valid UTF-8'],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'The body is not valid UTF-8'],
    ['a byte order mark', '\ufeff{}', 'The body begins with a byte order mark'],
    ['broken JSON', '{', 'The body is not valid JSON, or holds a forbidden key such as __proto__'],
    ['a prototype', '{"__proto__":{}}', 'The body is not valid JSON, or holds a forbidden key such as __proto__'],
    ['5,000 arrays in 10 KB', '['.repeat(5000) + ']'.repeat(5000), 'The body nests deeper than 32 levels'],
  ])('are refused with %s', (_name, raw, message) => {
    expect(refusal(raw)).toBe(message);
  });
});

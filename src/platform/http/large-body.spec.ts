import type { FastifyReply } from 'fastify';
import { forgetBody, LargeBodies, MAX_LARGE_AT_ONCE, parseLargeBody } from './large-body';

const parse = (text: string | Buffer): unknown => parseLargeBody(Buffer.from(text), (body) => body);

describe('a large body', () => {
  it('is reduced to what its route keeps', () => {
    expect(parseLargeBody(Buffer.from('{"a":1,"b":[2]}'), (body) => Object.keys(body as object))).toEqual(['a', 'b']);
    expect(parse('')).toBeUndefined();
  });

  it('holds what other bodies may not, and nothing reaches a prototype', () => {
    const body = parse('{"__proto__":{"polluted":1},"n":12345678901234567890,"t":"\\u0000\\ud800"}');
    expect(Object.keys(body as object)).toEqual(['__proto__', 'n', 't']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each<[string, string | Buffer]>([
    ['no JSON', '{'],
    ['with a byte order mark', '\ufeff{}'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['nested beyond a thousand levels', '['.repeat(1001) + ']'.repeat(1001)],
  ])('is refused: %s', (_, text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'VALIDATION_ERROR' }) as Error);
  });

  it('is let go when its route has read it', () => {
    const reply = { request: { body: { messages: ['x'.repeat(1000)] } } } as unknown as FastifyReply;
    forgetBody(reply);
    expect(reply.request.body).toBeUndefined();
  });

  it('may nest a thousand levels', () => {
    expect(parse('['.repeat(1000) + ']'.repeat(1000))).toEqual(expect.any(Array));
  });
});

describe('large bodies at once', () => {
  it('are bounded by tenant, and a place is given back once', () => {
    const bodies = new LargeBodies();
    const places = Array.from({ length: MAX_LARGE_AT_ONCE }, () => bodies.take('a'));
    expect([places.every((place) => place !== undefined), bodies.take('a')]).toEqual([true, undefined]);
    expect(bodies.take('b')).toBeDefined();
    places[0]?.();
    places[0]?.();
    expect([bodies.take('a') === undefined, bodies.take('a')]).toEqual([false, undefined]);
  });
});

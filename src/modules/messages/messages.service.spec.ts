import fc from 'fast-check';
import type { Caller } from '../../platform/auth';
import { bindingId, bodyHash, metaText } from './messages.service';

const callerWith = (key?: string): Caller =>
  ({ idempotency: key === undefined ? undefined : { key, route: 'POST /', fingerprint: Buffer.alloc(0) } }) as Caller;

describe('metaText', () => {
  it('is the object as compact JSON in its own order, or null', () => {
    expect(metaText({ z: 1, a: { y: 2, b: 3 } })).toBe('{"z":1,"a":{"y":2,"b":3}}');
    expect(metaText('{ "z": 1,\n "a": 2 }')).toBe('{"z":1,"a":2}');
    expect(metaText({})).toBe('{}');
    expect(metaText(undefined)).toBeNull();
  });
});

describe('bodyHash', () => {
  const meta = fc.option(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), { nil: undefined });
  const hash = (content: string, value?: Record<string, unknown>): string =>
    bodyHash(content, metaText(value)).toString('hex');

  it('does not depend on the order of keys, and on everything else', () => {
    fc.assert(
      fc.property(fc.string(), meta, (content, value) => {
        fc.pre(!content.includes('\0'));
        const turned = value && Object.fromEntries(Object.entries(value).reverse());
        expect(hash(content, turned)).toBe(hash(content, value));
        expect(hash(`${content}x`, value)).not.toBe(hash(content, value));
        expect(hash(content, { ...value, 'another key': 1 })).not.toBe(hash(content, value));
      }),
    );
  });

  it('tells no meta from an empty one, and text from meta', () => {
    expect(new Set([hash('x'), hash('x', {}), hash('x{}'), hash('x', { a: 1 })]).size).toBe(4);
  });
});

describe('bodyHash of what is wanted of an answer', () => {
  it('is that of the releases before where nothing is wanted, and another one where something is', () => {
    const stored = 'efb6d73fac1aecc087172b913e441e33054a353fdb87b1a6b8c4a2e88f317c31';
    expect(bodyHash('Hello', '{"a":1}').toString('hex')).toBe(stored);
    const others = [bodyHash('Hello', '{"a":1}', '{"seed":1}'), bodyHash('Hello', '{"a":1}', '{}')];
    expect(new Set([stored, ...others.map((hash) => hash.toString('hex'))]).size).toBe(3);
  });
});

describe('bindingId', () => {
  it('is the client_message_id, else the key as a hash that fits, else none', () => {
    expect(bindingId(callerWith('k'), 'c')).toBe('c');
    expect(bindingId(callerWith(), undefined)).toBeNull();
    const id = bindingId(callerWith('k'.repeat(255)), undefined) ?? '';
    expect(id).toMatch(/^key:[\w-]{43}$/);
    expect(bindingId(callerWith('k'.repeat(255)), undefined)).toBe(id);
    expect(bindingId(callerWith('k'), undefined)).not.toBe(id);
  });
});

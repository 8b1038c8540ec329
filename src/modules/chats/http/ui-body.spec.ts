import { PNG_URL } from '../../../../test/support/images';
import type { UiChatDto } from './dto/ui.dto';
import { keepLast, requestOf, type UiRequest } from './ui-body';

const MESSAGE = { id: 'm1', role: 'user', parts: [{ type: 'text', text: 'Hello' }] };

function asked(body: object): UiRequest {
  return requestOf(keepLast({ id: 'c', messages: [MESSAGE], ...body }) as UiChatDto);
}

describe('what is kept of a client’s body', () => {
  it('is the last message, and of it what matters', () => {
    const last = {
      ...MESSAGE,
      parts: [{ type: 'text', text: 'Hi', state: { deep: [1] } }],
      metadata: { a: { b: 1 } },
      x: 1,
    };
    expect(keepLast({ id: 'c', trigger: 'submit-message', messages: [{ evil: true }, last] })).toEqual({
      ...{ id: 'c', trigger: 'submit-message' },
      messages: [{ at: 1, id: 'm1', role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
    });
  });

  it('is of a size that has a bound, whatever it holds', () => {
    const parts = Array.from({ length: 10_000 }, () => ({ type: 'text', text: 'x', more: {} }));
    const fields = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, { deep: [[[[]]]] }]));
    const kept = keepLast({ messages: [{ id: 'm', role: 'user', parts }], ...fields });
    expect(JSON.stringify(kept).length).toBeLessThan(10_000);
  });

  it('a field of any name is seen, and none reaches a prototype', () => {
    const kept = keepLast(
      JSON.parse('{"__proto__":{"a":1},"constructor":5,"id":{"x":1},"messages":{"0":1}}'),
    ) as object;
    expect(Object.keys(kept)).toEqual(['__proto__', 'constructor', 'id', 'messages']);
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
    expect(kept).toMatchObject({ constructor: 5, id: {}, messages: {} });
  });

  it.each([[null], [[]], ['text'], [5], [undefined]])('what is no object stays none: %j', (body) => {
    const kept = keepLast(body);
    expect(typeof kept === 'object' && kept !== null && !Array.isArray(kept)).toBe(false);
  });
});

describe('what a client asks for', () => {
  it('says, edits or regenerates', () => {
    expect(asked({})).toEqual({ kind: 'say', clientMessageId: 'm1', content: 'Hello', images: [] });
    expect(asked({ trigger: 'submit-message', messageId: 'm1' })).toEqual({
      ...{ kind: 'edit', named: 'm1', content: 'Hello', images: [] },
    });
    const trigger = 'regenerate-message';
    expect(asked({ trigger, messageId: 'a1' })).toEqual({ kind: 'regenerate', named: 'a1' });
    expect(asked({ trigger })).toEqual({ kind: 'regenerate', named: 'm1' });
    for (const messages of [[], [{ ...MESSAGE, role: 'assistant' }]])
      expect(asked({ trigger, messages })).toEqual({ kind: 'regenerate', named: undefined });
  });

  it.each<[string, object, string]>([
    ['no message', { messages: [] }, 'messages'],
    ['an edit of another message', { messageId: 'm2' }, 'messageId'],
    ['what is no message', { messages: [MESSAGE, 5] }, 'messages[1]'],
    ['a part that is none', { messages: [{ ...MESSAGE, parts: [5] }] }, 'messages[0].parts[0]'],
    ['a text that is none', { messages: [{ ...MESSAGE, parts: [{ type: 'text' }] }] }, 'messages[0].parts[0]'],
    ['a file without a URL', { messages: [{ ...MESSAGE, parts: [{ type: 'file' }] }] }, 'messages[0].parts[0]'],
    [
      'a file from elsewhere',
      { messages: [{ ...MESSAGE, parts: [{ type: 'file', url: 'https://example.com/a.png' }] }] },
      'messages[0].parts[0].url',
    ],
    [
      'too many images',
      { messages: [{ ...MESSAGE, parts: Array.from({ length: 21 }, () => ({ type: 'file', url: PNG_URL })) }] },
      'messages[0]',
    ],
    ['no text', { messages: [{ ...MESSAGE, parts: [{ type: 'data-x' }] }] }, 'messages[0]'],
    ['an empty id', { messages: [{ ...MESSAGE, id: '' }] }, 'messages[0]'],
    [
      'too many parts',
      { messages: [{ ...MESSAGE, parts: Array.from({ length: 101 }, () => ({ type: 'text', text: 'x' })) }] },
      'messages[0]',
    ],
  ])('is refused by name: %s', (_, body, field) => {
    expect(() => asked(body)).toThrow(expect.objectContaining({ code: 'VALIDATION_ERROR', field }) as Error);
  });

  it('shows images, each in its place', () => {
    const file = { type: 'file', mediaType: 'image/png', url: PNG_URL };
    const parts = [{ type: 'text', text: 'See' }, { ...file, filename: 'a.png' }, file, { type: 'text', text: '?' }];
    expect(asked({ messages: [{ ...MESSAGE, parts }] })).toMatchObject({
      content: 'See\n[image: a.png]\n[image: image 2]\n?',
      images: [{ mediaType: 'image/png' }, { mediaType: 'image/png' }],
    });
    expect(asked({ messages: [{ ...MESSAGE, parts: [file] }] })).toMatchObject({ content: '[image: image 1]' });
  });

  it('may have a hundred parts', () => {
    const parts = Array.from({ length: 100 }, (_, i) => ({ type: 'text', text: `${i}` }));
    expect(asked({ messages: [{ ...MESSAGE, parts }] })).toMatchObject({
      content: parts.map(({ text }) => text).join('\n'),
    });
  });
});

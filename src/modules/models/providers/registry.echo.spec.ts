import { endpointTo, WIRE } from '../../../../test/support/models/channels';
import type { ModelMessage } from '../contract';
import { Echo } from './registry';

const ENDPOINT = endpointTo('', () => Promise.reject(new Error('an echo calls nobody')));

async function wordsFor(messages: readonly ModelMessage[], signal = new AbortController().signal): Promise<string[]> {
  const words: string[] = [];
  const request = { messages, model: 'echo', wire: WIRE, signal };
  for await (const part of new Echo().stream(ENDPOINT, request)) if (part.type === 'text') words.push(part.text);
  return words;
}

const said = (content: string): ModelMessage[] => [{ role: 'user', content }];

describe('the echo', () => {
  it('says that there is no model and what to do, quotes what was said, and says it again', async () => {
    const words = await wordsFor([...said('first'), { role: 'assistant', content: 'x' }, ...said('hello  there\nyou')]);
    const text = words.join('');
    for (const hint of ['No model is configured', 'OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL'])
      expect(text).toContain(hint);
    expect(text).toContain('POST /api/channels');
    expect(text.endsWith('You said: hello  there\nyou')).toBe(true);
    expect(text).not.toContain('first');
    expect(words.length).toBeGreaterThan(30);
    expect(await wordsFor(said('hello  there\nyou'))).toEqual(words);
  });

  it('quotes 200 characters and no half ones', async () => {
    const quoted = (await wordsFor(said('🚀'.repeat(201)))).join('').split('You said: ')[1];
    expect(quoted).toBe(`${'🚀'.repeat(200)}…`);
    expect((await wordsFor(said('x'.repeat(200)))).join('')).toMatch(/x{200}$/);
  });

  it('has something to say when nothing was', async () => {
    expect((await wordsFor([])).join('')).toMatch(/You said: $/);
    expect((await wordsFor(said(' '))).join('')).toMatch(/You said: {2}$/);
  });

  it('stops in the middle', async () => {
    const abort = new AbortController();
    const request = { messages: said('x'), model: 'echo', wire: WIRE };
    let words = 0;
    const read = async (): Promise<void> => {
      for await (const part of new Echo().stream(ENDPOINT, { ...request, signal: abort.signal }))
        if (part.type === 'text' && ++words === 3) abort.abort(new Error('stopped'));
    };
    await expect(read()).rejects.toThrow('stopped');
    expect(words).toBe(3);
  });
});

import fc from 'fast-check';
import type { LoggedMessage } from '../../messages';
import type { Preset } from '../../models';
import { contextOf, countUsage } from './context';

const preset = (systemPrompt: string): Preset => ({
  name: 'default',
  systemPrompt,
  model: null,
  temperature: null,
  maxTokens: null,
  options: {},
  contextMessages: 20,
  contextTokens: null,
});

function said(content: string, kind: 'user' | 'assistant' = 'user'): LoggedMessage {
  return { content, kind } as LoggedMessage;
}

describe('what a model is told', () => {
  it('is the system prompt, if there is one, and the messages with their roles', () => {
    const messages = [said('one'), said('two', 'assistant'), said('three')];
    const told = [
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'three' },
    ];
    expect(contextOf(preset(''), messages)).toEqual(told);
    expect(contextOf(preset('Be brief.'), messages)).toEqual([{ role: 'system', content: 'Be brief.' }, ...told]);
  });

  it('is the newest messages that fit, and always the one that is answered', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 12 }), fc.nat(60), text, (contents, most, prompt) => {
        const told = contextOf(
          preset(prompt),
          contents.map((content) => said(content)),
          most,
        );
        const kept = told.slice(1).map(({ content }) => content);
        expect(kept).toEqual(contents.slice(-kept.length));
        expect(kept.length).toBeGreaterThan(0);
        if (kept.length > 1) expect(countUsage(told, '').promptTokens).toBeLessThanOrEqual(most);
        const next = contents.at(-kept.length - 1);
        if (next !== undefined)
          expect(countUsage([...told, { role: 'user', content: next }], '').promptTokens).toBeGreaterThan(most);
      }),
    );
  });
});

describe('an answer whose tokens the model did not count', () => {
  it('costs a quarter of its bytes, of both sides', () => {
    expect(countUsage([{ role: 'user', content: '12345' }], '😀')).toEqual({
      promptTokens: 2,
      completionTokens: 1,
      totalTokens: 3,
      estimated: true,
    });
  });
});

import { estimateTokens, usageOf } from './token-count';

describe('the count of tokens', () => {
  it.each([
    [0, 0],
    [1, 1],
    [4, 1],
    [5, 2],
  ])('%i bytes are about %i', (bytes, tokens) => {
    expect(estimateTokens(bytes)).toBe(tokens);
  });

  const messages = [
    { role: 'system', content: 'four' },
    { role: 'user', content: 'ü€' },
  ] as const;

  it('is that of the provider where it has one, 0 included', () => {
    expect(usageOf(messages, 100, { promptTokens: 0, completionTokens: 5 })).toEqual({
      promptTokens: 0,
      completionTokens: 5,
      totalTokens: 5,
      estimated: false,
    });
  });

  it('is made where a part of it is missing, from the UTF-8 of the texts', () => {
    const half = { promptTokens: undefined, completionTokens: 5 };
    expect(usageOf(messages, 100, half)).toEqual({
      promptTokens: 3,
      completionTokens: 5,
      totalTokens: 8,
      estimated: true,
    });
    expect(usageOf(messages, 8, { promptTokens: undefined, completionTokens: undefined }).totalTokens).toBe(5);
  });
});

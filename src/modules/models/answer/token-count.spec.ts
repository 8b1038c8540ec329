import { estimateTokens, usageOf } from './answer';

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

  it('is that of the provider where it has one', () => {
    expect(usageOf(messages, 100, { promptTokens: 7, completionTokens: 5 })).toEqual({
      promptTokens: 7,
      completionTokens: 5,
      totalTokens: 12,
      estimated: false,
    });
    expect(usageOf([], 0, { promptTokens: 0, completionTokens: 0 })).toMatchObject({
      totalTokens: 0,
      estimated: false,
    });
  });

  it.each([
    [0, 0, 3, 25],
    [0, 5, 3, 5],
    [7, 0, 7, 25],
  ])('A5: zeros for texts are none: %i and %i', (prompt, completion, promptTokens, completionTokens) => {
    expect(usageOf(messages, 100, { promptTokens: prompt, completionTokens: completion })).toEqual({
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
      estimated: true,
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

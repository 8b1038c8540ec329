import { contextTokensOf, familyOf, wantsCompletionTokens } from './channel-choice';

describe('what is known of a model by its name', () => {
  it.each([
    ['gpt-4o-mini', 128_000, 'gpt', false],
    ['gpt-4', 8192, 'gpt', false],
    ['gpt-3.5-turbo', 16_385, 'gpt', false],
    ['gpt-5-mini', 400_000, 'gpt', true],
    ['o3', 200_000, 'gpt', true],
    ['o1-mini', 128_000, 'gpt', true],
    ['openai/gpt-5', 400_000, 'openai/', true],
    ['claude-sonnet-4-5', 200_000, 'claude', false],
    ['anthropic/claude-3.5-haiku', 200_000, 'anthropic/', false],
    ['gemini-2.5-flash', 1_048_576, 'gemini', false],
    ['llama3', 8192, 'llama', false],
    ['llama3.2:1b', 16_000, 'llama', false],
    ['Meta-Llama-3-8B-Instruct', 8192, 'llama', false],
    ['mistral-large-latest', 32_000, 'mistral', false],
    ['orca', 16_000, undefined, false],
    ['', 16_000, undefined, false],
  ])('%s reads %i tokens, and is one of %s', (model, tokens, family, completion) => {
    expect([contextTokensOf(model), familyOf(model), wantsCompletionTokens(model)]).toEqual([
      tokens,
      family,
      completion,
    ]);
  });
});

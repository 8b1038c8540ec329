import { testChannel } from '../../../../test/support/models/channels';
import type { Channel } from '../channels/channel-directory';
import {
  ChannelChoice,
  contextTokensOf,
  costOf,
  dearestOf,
  familyOf,
  hasPrices,
  inOrder,
  pricesOf,
  wantsCompletionTokens,
} from './channel-choice';

const ranked = (name: string, priority: number, weight = 1) => ({ name, priority, weight });
const namesOf = (channels: readonly { name: string }[]): string => channels.map(({ name }) => name).join('');

/** The same numbers for the same seed, evenly from 0 to below 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

describe('the order of channels', () => {
  it('is that of their priorities, whatever the chance', () => {
    const channels = [ranked('c', 20, 1000), ranked('a', 0), ranked('b', 10)];
    for (const random of [() => 0, () => 0.999_999]) expect(namesOf(inOrder(channels, random))).toBe('abc');
  });

  it('is by chance among equals, in proportion to their weights', () => {
    const random = seeded(42);
    const firsts = { a: 0, b: 0 };
    for (let i = 0; i < 10_000; i++) {
      const [first] = inOrder([ranked('a', 0, 3), ranked('b', 0, 1)], random);
      firsts[first?.name as 'a' | 'b']++;
    }
    expect(firsts.a / 10_000).toBeCloseTo(0.75, 1);
  });

  it('a weight of 0 comes after all others of its priority', () => {
    const random = seeded(7);
    for (let i = 0; i < 1000; i++)
      expect(namesOf(inOrder([ranked('z', 0, 0), ranked('a', 0), ranked('y', 1)], random))).toBe('azy');
  });

  it('knows what to do with two of weight 0', () => {
    expect(namesOf(inOrder([ranked('a', 0, 0), ranked('b', 0, 0)], () => 0))).toHaveLength(2);
  });
});

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
    ['models/gemini-2.5-pro', 1_048_576, 'gemini', false],
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

const channel = testChannel;

const ECHO = channel('echo', { provider: 'echo' });
const ENVIRONMENT = channel('environment');

async function chosen(own: readonly Channel[], environment?: Channel): Promise<string[]> {
  const choice = new ChannelChoice({ of: () => Promise.resolve(own) }, { environment, echo: ECHO }, () => 0.5);
  return (await choice.of('tenant')).map(({ name }) => name);
}

describe('the choice of channels', () => {
  it("is the tenant's own by priority, and then the environment's", async () => {
    const own = [channel('late', { priority: 9 }), channel('early', { priority: 1 })];
    expect(await chosen(own, ENVIRONMENT)).toEqual(['early', 'late', 'environment']);
    expect(await chosen([], ENVIRONMENT)).toEqual(['environment']);
  });

  it('leaves out what is not enabled, and may leave nothing', async () => {
    const off = channel('off', { enabled: false });
    expect(await chosen([off, channel('on')])).toEqual(['on']);
    expect(await chosen([off])).toEqual([]);
    expect(await chosen([off], ENVIRONMENT)).toEqual(['environment']);
  });

  it('is the echo only where there is no channel at all', async () => {
    expect(await chosen([])).toEqual(['echo']);
  });

  it("a tenant's own echo answers while it has nothing else, and is never a fallback", async () => {
    const own = channel('test', { provider: 'echo' });
    expect(await chosen([own])).toEqual(['test']);
    expect(await chosen([channel('test', { provider: 'echo', enabled: false })])).toEqual([]);
    expect(await chosen([own, channel('real', { priority: 9 })])).toEqual(['real']);
    expect(await chosen([own, channel('off', { enabled: false })])).toEqual([]);
    expect(await chosen([own], ENVIRONMENT)).toEqual(['environment']);
  });
});

describe('prices', () => {
  const small = { input: 1, output: 4 };
  const large = { input: 10, output: 30, cached: 2 };
  const usage = { promptTokens: 1_000_000, completionTokens: 500_000, totalTokens: 1_500_000, estimated: false };

  it('are those of the model, else of the channel', () => {
    const channel = testChannel('a', { prices: small, modelPrices: { large } });
    expect([pricesOf(channel, 'large'), pricesOf(channel, 'other')]).toEqual([large, small]);
    const ofOne = testChannel('b', { modelPrices: { large } });
    expect([pricesOf(ofOne, 'large'), pricesOf(ofOne, 'other'), pricesOf(ofOne, 'toString')]).toEqual([
      large,
      undefined,
      undefined,
    ]);
    expect([channel, ofOne, testChannel('c')].map(hasPrices)).toEqual([true, true, false]);
  });

  it('make the cost; what was in a cache costs less where the provider says so', () => {
    expect(costOf(usage, small)).toBe(3);
    expect(costOf(usage, large)).toBe(25);
    expect(costOf({ ...usage, cachedPromptTokens: 400_000 }, large)).toBeCloseTo(6 + 0.8 + 15);
    expect(costOf({ ...usage, cachedPromptTokens: 400_000 }, small)).toBe(3);
    expect(costOf(usage, undefined)).toBeUndefined();
  });

  it('of the dearest are the highest of each kind', () => {
    expect(dearestOf([small, undefined, { input: 12, output: 2 }])).toEqual({ input: 12, output: 4 });
    expect(dearestOf([{ input: 1, output: 2, cached: 3 }])).toEqual({ input: 3, output: 2 });
    expect(dearestOf([undefined])).toBeUndefined();
  });
});

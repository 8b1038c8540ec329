import { loadConfig } from '../../../config';
import { type Channel, environmentChannel } from './channel-directory';

const post = (): never => {
  throw new Error('nobody is asked');
};

function channelOf(env: Readonly<Record<string, string>>): Channel | undefined {
  return environmentChannel(loadConfig(env).models, post);
}

describe('the channel of the environment', () => {
  it('is none where no variable names a provider', () => {
    expect(channelOf({})).toBeUndefined();
    expect(channelOf({ OPENAI_MODEL: 'gpt-5', OPENAI_PRICES: '1,2' })).toBeUndefined();
  });

  it('speaks OpenAI’s protocol where the OPENAI_* variables name it', () => {
    const channel = channelOf({ OPENAI_API_KEY: 'k', OPENAI_AUTH_HEADER: 'api-key', OPENAI_PRICES: '1,2' });
    expect(channel).toMatchObject({
      provider: 'openai-compatible',
      model: 'gpt-4o-mini',
      prices: { input: 1, output: 2 },
    });
    expect(channel?.endpoint()).toMatchObject({ apiKey: 'k', authHeader: 'api-key' });
  });

  it.each([
    ['anthropic', 'https://api.anthropic.com/v1', 'x-api-key'],
    ['google', 'https://generativelanguage.googleapis.com/v1beta', 'x-goog-api-key'],
    ['openai-compatible', 'https://api.openai.com/v1', 'authorization'],
  ])('speaks the protocol of %s where MODEL_PROVIDER says so', (provider, baseUrl, authHeader) => {
    const channel = channelOf({ MODEL_PROVIDER: provider, MODEL_API_KEY: 'k' });
    expect(channel).toMatchObject({ provider, baseUrl, prices: null, isShared: true });
    expect(channel?.model).not.toBe('');
    expect(channel?.endpoint()).toMatchObject({ baseUrl, apiKey: 'k', authHeader });
  });

  it('has the model, the address and the prices that are named', () => {
    const env = { MODEL_PROVIDER: 'anthropic', MODEL_API_KEY: 'k', MODEL_NAME: 'claude-opus-4-8' };
    const more = { MODEL_BASE_URL: 'https://proxy.example/v1', MODEL_PRICES: '500,2500,50' };
    expect(channelOf({ ...env, ...more })).toMatchObject({
      model: 'claude-opus-4-8',
      baseUrl: 'https://proxy.example/v1',
      prices: { input: 500, output: 2500, cached: 50 },
    });
  });
});

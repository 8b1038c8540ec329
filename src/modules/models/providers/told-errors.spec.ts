import { cleaned } from './told-errors';

describe('A8: what is kept of what a provider said', () => {
  it.each([
    ['Incorrect API key provided: sk-abc***xyz.', 'Incorrect API key provided: [key]'],
    ['key my-own-key! is bad', 'key [key] is bad'],
    ['Authorization: Bearer abc.def', 'Authorization: [key]'],
    ['AIzaSyA1234567890 and gsk_12345678', '[key] and [key]'],
    ['api_key=hunter2, token: "abc"', 'api_key=[key], token: "[key]"'],
    ['0123456789abcdef0123456789abcdef', '[key]'],
    ['see https://platform.example.com/keys?x=1 now', 'see [address] now'],
    ['connect 10.0.0.7:443 [::1]:80 fe80::1 localhost:8080', 'connect [address] [address] [address] [address]'],
    ['ask llm.internal or me@example.com', 'ask [address] or [address]'],
    ['two\nlines\u202e\u0000', 'two lines'],
    ['at most 4096 tokens, max_tokens: 5000', 'at most 4096 tokens, max_tokens: 5000'],
  ])('%j → %j', (said, expected) => {
    expect(cleaned(said, ['my-own-key!'])).toBe(expected);
  });

  it('is at most 300 characters, and nothing where nothing was said', () => {
    expect([...(cleaned('🚀'.repeat(400), []) ?? '')]).toHaveLength(300);
    expect(cleaned(' \n', [])).toBeUndefined();
  });
});

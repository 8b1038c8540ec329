import { cleaned, faultOf, toldErrorIn } from './told-errors';

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

describe('A8: what a provider tells of a fault', () => {
  const factsOf = (document: unknown, status?: number): object => {
    const told = toldErrorIn(JSON.stringify(document));
    const { reason, blame, facts } = faultOf('failed', { ...told, status: status ?? told.status }, []);
    return { reason, blame, status: facts.status, code: facts.code, retryAfterMs: facts.retryAfterMs };
  };
  const google = (code: number, status: string, message: string, details?: unknown): object => ({
    error: { code, message, status, details },
  });

  it.each<[string, unknown, object]>([
    [
      "Google's names stand beside its numbers",
      google(400, 'FAILED_PRECONDITION', 'Enable billing'),
      { reason: 'request', status: 400, code: 'FAILED_PRECONDITION' },
    ],
    [
      'a name stands for a status',
      { type: 'error', error: { type: 'permission_error', message: 'no' } },
      { reason: 'auth', blame: 'channel', status: 403 },
    ],
    [
      'when to come back, where no header says so',
      google(429, 'RESOURCE_EXHAUSTED', 'quota', [{ '@type': 'type.googleapis.com/RetryInfo', retryDelay: '34.07s' }]),
      { reason: 'pace', blame: 'pace', retryAfterMs: 35_000 },
    ],
    [
      'but not when somebody quotes that',
      google(429, 'RESOURCE_EXHAUSTED', 'you said {"retryDelay": "86400s"}'),
      { reason: 'pace', retryAfterMs: undefined },
    ],
    [
      'that all tokens went into thinking, where others answer with nothing',
      {
        error: {
          type: 'invalid_request_error',
          message: 'Could not finish the message because max_tokens was reached',
        },
      },
      { reason: 'reasoning', blame: 'request' },
    ],
    [
      'that a file was not found says nothing of the model',
      { error: { code: 'file_not_found', message: 'no such file' } },
      { reason: 'provider' },
    ],
  ])('%s', (_, document, expected) => {
    expect(factsOf(document)).toMatchObject(expected);
  });
});

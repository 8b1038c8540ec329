import type { Identity, TenantLimits } from '../auth';
import { rateWindowOf, windowOf } from './window';

function keyOf(tenantId: string, limits: TenantLimits = {}): Identity {
  const tenant = { tenantId, status: 'active', limits, settings: {} } as const;
  return { kind: 'key', grant: { keyId: 'k', scopes: ['chat'], tenant } };
}

function tokenOf(tenantId: string): Identity {
  const tenant = { tenantId, status: 'active', limits: {}, settings: {} } as const;
  return { kind: 'token', grant: { keyId: 'k', userId: 'alice', tenant } };
}

describe('the window of a request', () => {
  it.each(['/rooms', '/acks', '/tokens', '/ws/token', '/admin/tenants/:tenant_id', '/apis', '/api'])(
    '%s counts per second with the Rooms API',
    (url) => {
      expect(windowOf(keyOf('t'), url)).toEqual({
        family: 'rooms',
        key: 'rate:rooms:t',
        limit: 100,
        windowMs: 1000,
        code: 'RATE_LIMIT_EXCEEDED',
      });
    },
  );

  it.each(['/api/chat', '/api/v1/chats/', '/api/conversations/:id', '/api/'])('%s counts per minute', (url) => {
    expect(windowOf(keyOf('t'), url)).toEqual({
      family: 'ai',
      key: 'rate:ai:t',
      limit: 100,
      windowMs: 60_000,
      code: expect.any(String),
    });
  });

  it.each([
    ['/api/chat', 'RATE_LIMITED'],
    ['/api/conversations/:id', 'RATE_LIMITED'],
    ['/api/presets', 'RATE_LIMITED'],
    ['/api/v1/chats/', 'RATE_LIMIT_EXCEEDED'],
    ['/rooms', 'RATE_LIMIT_EXCEEDED'],
  ])('%s is refused with %s', (url, code) => {
    expect(windowOf(keyOf('t'), url).code).toBe(code);
  });

  it('the master key counts for itself, on every route', () => {
    for (const url of ['/admin/tenants', '/api/chat'])
      expect(windowOf({ kind: 'master' }, url)).toEqual({
        family: 'master',
        key: 'rate:master',
        limit: 100,
        windowMs: 1000,
        code: expect.any(String),
      });
  });

  it('takes the limits of the tenant: a number, 0, null', () => {
    const limits = (value: number | null): TenantLimits => ({
      requests_per_second: value,
      ai_requests_per_minute: value,
    });
    for (const value of [7, 0, null])
      for (const url of ['/rooms', '/api/chat']) expect(windowOf(keyOf('t', limits(value)), url).limit).toBe(value);
  });

  it('each family has its own limit', () => {
    const identity = keyOf('t', { requests_per_second: 1, ai_requests_per_minute: 2 });
    expect([windowOf(identity, '/rooms').limit, windowOf(identity, '/api/chat').limit]).toEqual([1, 2]);
  });

  it('is one for a key and a token of a tenant, and another one for another tenant', () => {
    expect(windowOf(tokenOf('t'), '/rooms').key).toBe(windowOf(keyOf('t'), '/rooms').key);
    expect(windowOf(keyOf('u'), '/rooms').key).not.toBe(windowOf(keyOf('t'), '/rooms').key);
  });

  it('is set before the limit is taken', () => {
    expect(() => rateWindowOf({ rateWindow: undefined } as Parameters<typeof rateWindowOf>[0])).toThrow(
      'is set before',
    );
  });
});

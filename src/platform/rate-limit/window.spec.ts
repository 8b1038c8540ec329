import type { Identity, TenantLimits } from '../auth';
import { rateLimitCodeOf, windowFor, windowOf } from './window';

function keyOf(tenantId: string, limits: TenantLimits = {}): Identity {
  const tenant = { tenantId, status: 'active', limits, settings: {} } as const;
  return { kind: 'key', grant: { keyId: 'k', scopes: ['chat'], tenant } };
}

function tokenOf(tenantId: string): Identity {
  const tenant = { tenantId, status: 'active', limits: {}, settings: {} } as const;
  return { kind: 'token', grant: { keyId: 'k', userId: 'alice', tenant } };
}

describe('the window of a request', () => {
  it('counts per second with the Rooms API', () => {
    expect(windowOf(keyOf('t'), 'rooms')).toEqual({ family: 'rooms', key: 'rate:rooms:t', limit: 100, windowMs: 1000 });
  });

  it('counts per minute with the AI APIs', () => {
    expect(windowOf(keyOf('t'), 'ai')).toEqual({ family: 'ai', key: 'rate:ai:t', limit: 100, windowMs: 60_000 });
  });

  it.each([
    ['/api/chat', 'RATE_LIMITED'],
    ['/api/conversations/:id', 'RATE_LIMITED'],
    ['/api/presets', 'RATE_LIMITED'],
    ['/api/v1/chats/', 'RATE_LIMIT_EXCEEDED'],
    ['/rooms', 'RATE_LIMIT_EXCEEDED'],
  ])('%s is refused with %s', (url, code) => {
    expect(rateLimitCodeOf(url)).toBe(code);
  });

  it('the master key counts for itself, on every route', () => {
    for (const family of ['rooms', 'ai'] as const)
      expect(windowOf({ kind: 'master' }, family)).toEqual({
        family: 'master',
        key: 'rate:master',
        limit: 100,
        windowMs: 1000,
      });
  });

  it('takes the limits of the tenant: a number, 0, null', () => {
    const limits = (value: number | null): TenantLimits => ({
      requests_per_second: value,
      ai_requests_per_minute: value,
    });
    for (const value of [7, 0, null])
      for (const family of ['rooms', 'ai'] as const)
        expect(windowOf(keyOf('t', limits(value)), family).limit).toBe(value);
  });

  it('each family has its own limit', () => {
    const identity = keyOf('t', { requests_per_second: 1, ai_requests_per_minute: 2 });
    expect([windowOf(identity, 'rooms').limit, windowOf(identity, 'ai').limit]).toEqual([1, 2]);
  });

  it('is one for a key and a token of a tenant, and another one for another tenant', () => {
    expect(windowOf(tokenOf('t'), 'rooms').key).toBe(windowOf(keyOf('t'), 'rooms').key);
    expect(windowOf(keyOf('u'), 'rooms').key).not.toBe(windowOf(keyOf('t'), 'rooms').key);
  });

  it('is taken when the credential is proven', () => {
    const nobody = { identity: undefined } as Parameters<typeof windowFor>[0];
    expect(() => windowFor(nobody, 'rooms')).toThrow('the credential is proven');
  });
});

import { randomUUID } from 'node:crypto';
import { startProviders } from '../../../test/support/providers';
import { AppError } from '../../common/errors';
import { Lifecycle } from '../../platform/lifecycle';
import { SilentLog } from '../../platform/logging';
import { Secrets } from '../../platform/secrets';
import { hashApiKey, newApiKey } from './api-key';
import type { KeysRepository, LiveKeyRow } from './keys.repository';
import { TokenSigner } from './tokens.service';
import { KeyUses, TenantCredentialVerifier } from './verifier';

type Batch = Parameters<KeysRepository['touch']>[0];

describe('last uses of API keys', () => {
  it('are written together, one per key, and the rest when the server stops', async () => {
    const written: Batch[] = [];
    const lifecycle = new Lifecycle(new SilentLog());
    const repository = { touch: async (batch: Batch) => void written.push(batch) };
    const uses = new KeyUses(repository as unknown as KeysRepository);
    startProviders(lifecycle, uses);
    await uses.flush();
    expect(written).toEqual([]);

    for (let i = 0; i < 100; i++) uses.note('t1', 'k1');
    uses.note('t2', 'k2');
    await uses.flush();
    expect(written.map((batch) => batch.map(({ tenantId, keyId }) => [tenantId, keyId]))).toEqual([
      [
        ['t1', 'k1'],
        ['t2', 'k2'],
      ],
    ]);

    uses.note('t1', 'k1');
    await lifecycle.stop('test over');
    expect(written[1]).toEqual([{ tenantId: 't1', keyId: 'k1', at: expect.any(Date) }]);
  });
});

const secrets = new Secrets('the-master-key', 'j'.repeat(32), '0'.repeat(64), undefined);
const signer = new TokenSigner(secrets);
const SOURCE = { ip: '203.0.113.1' };

/** A table of keys, of which the test decides what it answers and when. */
class FakeKeys {
  readonly rows = new Map<string, LiveKeyRow>();
  lookUps = 0;
  /** Keys that one statement asked for, at most. */
  most = 0;
  /** Look-ups wait for it, as for a slow database. */
  gate: Promise<void> = Promise.resolve();
  /** The same for look-ups of keys that no client has shown before. */
  strangersGate: Promise<void> = Promise.resolve();

  add(apiKey: string): LiveKeyRow {
    const row: LiveKeyRow = {
      tenant_id: randomUUID(),
      key_id: randomUUID(),
      hash: hashApiKey(apiKey),
      scopes: ['chat'],
      expires_at: null,
      status: 'active',
      settings: {},
      limits: {},
    };
    this.rows.set(row.hash.toString('hex'), row);
    return row;
  }

  async liveByHash(hash: Buffer): Promise<LiveKeyRow | undefined> {
    this.lookUps++;
    const row = this.rows.get(hash.toString('hex'));
    await this.gate;
    return row;
  }

  async liveByHashes(hashes: readonly Buffer[]): Promise<LiveKeyRow[]> {
    this.lookUps++;
    this.most = Math.max(this.most, hashes.length);
    const rows = hashes.flatMap((hash) => this.rows.get(hash.toString('hex')) ?? []);
    await Promise.all([this.gate, this.strangersGate]);
    return rows;
  }

  async liveById(tenantId: string, keyId: string): Promise<LiveKeyRow | undefined> {
    this.lookUps++;
    const row = [...this.rows.values()].find((r) => r.tenant_id === tenantId && r.key_id === keyId);
    await this.gate;
    return row;
  }
}

function setUp(): { keys: FakeKeys; verifier: TenantCredentialVerifier; uses: string[] } {
  const keys = new FakeKeys();
  const uses: string[] = [];
  const noted = { note: (_tenantId: string, keyId: string) => uses.push(keyId) };
  return {
    keys,
    uses,
    verifier: new TenantCredentialVerifier(
      keys as unknown as KeysRepository,
      signer,
      noted as unknown as KeyUses,
      secrets,
    ),
  };
}

function tokenFor(row: LiveKeyRow, seconds = 60): string {
  return signer.sign('user', { tenantId: row.tenant_id, userId: 'alice', keyId: row.key_id }, seconds).token;
}

describe('the verifier of credentials', () => {
  it('refuses a key with a bad checksum without any look-up, and at once', () => {
    const { keys, verifier } = setUp();
    const good = newApiKey();
    const bad = good.slice(0, -1) + (good.endsWith('0') ? '1' : '0');
    for (const key of [bad, '', 'chatapi_x', good.slice(1)]) expect(verifier.verifyKey(key, SOURCE)).toBeUndefined();
    expect(keys.lookUps).toBe(0);
  });

  it('refuses a token with a bad signature without any look-up', () => {
    const { keys, verifier } = setUp();
    const token = tokenFor(keys.add(newApiKey()));
    for (const bad of [token.slice(0, -2), `${token}x`, 'a.b.c', '']) expect(verifier.verifyToken(bad)).toBeUndefined();
    expect(keys.lookUps).toBe(0);
  });

  it('believes a key, and that there is no such key, without asking again', async () => {
    const { keys, verifier, uses } = setUp();
    const [known, unknown] = [newApiKey(), newApiKey()];
    const row = keys.add(known);
    expect(await verifier.verifyKey(known, SOURCE)).toMatchObject({
      keyId: row.key_id,
      tenant: { tenantId: row.tenant_id },
    });
    expect(await verifier.verifyKey(unknown, SOURCE)).toBeUndefined();
    for (let i = 0; i < 3; i++) {
      expect(verifier.verifyKey(known, SOURCE)).toMatchObject({ keyId: row.key_id });
      expect(verifier.verifyKey(unknown, SOURCE)).toBeUndefined();
    }
    expect(keys.lookUps).toBe(2);
    expect(uses).toEqual(Array(4).fill(row.key_id));
  });

  it('asks once for all that come while it is asking', async () => {
    const { keys, verifier } = setUp();
    const key = newApiKey();
    const row = keys.add(key);
    const grants = await Promise.all(Array.from({ length: 20 }, async () => verifier.verifyKey(key, SOURCE)));
    expect(new Set(grants.map((grant) => grant?.keyId))).toEqual(new Set([row.key_id]));
    expect(keys.lookUps).toBe(1);
  });

  it('asks once for all tokens of a key', async () => {
    const { keys, verifier } = setUp();
    const row = keys.add(newApiKey());
    const tokens = [tokenFor(row), tokenFor(row), tokenFor(row)];
    const grants = await Promise.all(tokens.map(async (token) => verifier.verifyToken(token)));
    expect(grants.map((grant) => [grant?.userId, grant?.keyId])).toEqual(Array(3).fill(['alice', row.key_id]));
    expect(verifier.verifyToken(tokens[0] ?? '')).toMatchObject({ userId: 'alice' });
    expect(keys.lookUps).toBe(1);
  });

  it('a change is seen by every call that begins after it, whatever was being looked up', async () => {
    const { keys, verifier } = setUp();
    const key = newApiKey();
    const row = keys.add(key);
    const token = tokenFor(row);
    let open = (): void => undefined;
    keys.gate = new Promise((resolve) => (open = resolve));
    const both = (): Promise<unknown[]> =>
      Promise.all([Promise.resolve(verifier.verifyKey(key, SOURCE)), Promise.resolve(verifier.verifyToken(token))]);
    const before = both();
    // Strangers' look-ups gather for a turn.
    await new Promise(setImmediate);
    keys.rows.clear();
    verifier.forget();
    const after = both();
    open();
    expect(await after).toEqual([undefined, undefined]);
    expect(await before).not.toContain(undefined);
    expect([verifier.verifyKey(key, SOURCE), verifier.verifyToken(token)]).toEqual([undefined, undefined]);
  });

  it('refuses a token of another tenant’s key, however well it is signed', async () => {
    const { keys, verifier } = setUp();
    const row = keys.add(newApiKey());
    await verifier.verifyToken(tokenFor(row));
    expect(await verifier.verifyToken(tokenFor({ ...row, tenant_id: randomUUID() }))).toBeUndefined();
  });

  it('a token that names another tenant does not spoil the good ones of its key', async () => {
    const { keys, verifier } = setUp();
    const row = keys.add(newApiKey());
    expect(await verifier.verifyToken(tokenFor({ ...row, tenant_id: randomUUID() }))).toBeUndefined();
    expect(await verifier.verifyToken(tokenFor(row))).toBeDefined();
  });

  it('a ticket ends the session with the token that it was made with, or with its key', async () => {
    const { keys, verifier } = setUp();
    const row = keys.add(newApiKey());
    const claims = { tenantId: row.tenant_id, userId: 'alice', keyId: row.key_id };
    const ticket = (sessionEndsAtMs?: number): string =>
      signer.sign('ticket', { ...claims, sessionEndsAtMs }, 60).token;
    expect(await verifier.verifyTicket(ticket(5000))).toMatchObject({ userId: 'alice', endsAtMs: 5000 });
    expect((await verifier.verifyTicket(ticket()))?.endsAtMs).toBeUndefined();
    keys.rows.set('', { ...row, expires_at: new Date(4000) });
    keys.rows.delete(row.hash.toString('hex'));
    verifier.forget();
    expect(await verifier.verifyTicket(ticket(5000))).toMatchObject({ endsAtMs: 4000 });
    expect(await verifier.verifyTicket(ticket())).toMatchObject({ endsAtMs: 4000 });
    expect(await verifier.verifyTicket(tokenFor(row))).toBeUndefined();
  });

  it('refuses a token from the second on at which it expires, also a cached one', async () => {
    const { keys, verifier } = setUp();
    const row = keys.add(newApiKey());
    const token = tokenFor(row, 60);
    expect(await verifier.verifyToken(token)).toBeDefined();
    jest.useFakeTimers({ now: Date.now() + 61_000, doNotFake: ['performance'] });
    try {
      expect(verifier.verifyToken(token)).toBeUndefined();
    } finally {
      jest.useRealTimers();
    }
  });

  it('lets the failure of a look-up through and asks again next time', async () => {
    const { keys, verifier } = setUp();
    const key = newApiKey();
    keys.add(key);
    keys.gate = Promise.reject(new Error('the database is away'));
    await expect(verifier.verifyKey(key, SOURCE)).rejects.toThrow('away');
    keys.gate = Promise.resolve();
    expect(await verifier.verifyKey(key, SOURCE)).toBeDefined();
  });

  it('knows the master key', () => {
    const { verifier } = setUp();
    expect(['the-master-key', 'the-master-kex', 'the-master-key ', ''].map((key) => verifier.isMasterKey(key))).toEqual(
      [true, false, false, false],
    );
  });
});

describe('S5: keys that nobody has shown before', () => {
  const OTHER = { ip: '198.51.100.7' };
  const invented = (n: number): string[] => Array.from({ length: n }, newApiKey);
  const outcome = (answer: unknown): Promise<unknown> =>
    Promise.resolve(answer).then(
      (grant) => (grant === undefined || grant === false ? 'unknown' : 'good'),
      (error: unknown) => (error instanceof AppError ? error.status : 'failed'),
    );

  it('S5: thousands of invented ones make a good one wait for two statements, and take one connection', async () => {
    const { keys, verifier } = setUp();
    const good = newApiKey();
    keys.add(good);
    const before = invented(300).map((key) => outcome(verifier.isPlausible('key', key, SOURCE)));
    await new Promise(setImmediate);
    const asked = keys.lookUps;
    const flood = invented(7000).map((key) => outcome(verifier.isPlausible('key', key, SOURCE)));
    expect(await outcome(verifier.isPlausible('key', good, OTHER))).toBe('good');
    expect(keys.lookUps - asked).toBeLessThanOrEqual(2);
    const outcomes = await Promise.all([...before, ...flood]);
    expect(outcomes.slice(0, 300)).toEqual(Array(300).fill('unknown'));
    // The address has a small queue of its own; what does not fit into it is refused with 503.
    expect(outcomes.filter((status) => status === 503).length).toBeGreaterThanOrEqual(6500);
    expect(keys.most).toBeLessThanOrEqual(500);
    expect(keys.lookUps).toBeLessThanOrEqual(3);
  });

  it('S5: a key that was good before waits for none of them, nor is it forgotten for them', async () => {
    const { keys, verifier } = setUp();
    const good = newApiKey();
    keys.add(good);
    await verifier.verifyKey(good, SOURCE);
    keys.strangersGate = new Promise(() => undefined);
    for (const key of invented(1000)) void outcome(verifier.verifyKey(key, SOURCE));
    expect(verifier.isPlausible('key', good, SOURCE)).toBe(true);
    // What was read of it two seconds ago is read anew.
    verifier.forget();
    expect(verifier.isPlausible('key', good, SOURCE)).toBe(true);
    expect(await verifier.verifyKey(good, SOURCE)).toBeDefined();
  });

  it('S5: the places of an address are free again afterwards, also when the database failed', async () => {
    const { keys, verifier } = setUp();
    keys.strangersGate = Promise.reject(new Error('away'));
    await Promise.all(invented(500).map((key) => outcome(verifier.verifyKey(key, SOURCE))));
    keys.strangersGate = Promise.resolve();
    const outcomes = await Promise.all(invented(500).map((key) => outcome(verifier.verifyKey(key, SOURCE))));
    expect(outcomes).toEqual(Array(500).fill('unknown'));
  });

  it('S5: what is surely bad is told at once, without a look-up', async () => {
    const { keys, verifier } = setUp();
    const row = keys.add(newApiKey());
    const [gone, token] = [newApiKey(), tokenFor(row)];
    await verifier.verifyKey(gone, SOURCE);
    const lookUps = keys.lookUps;
    const ticket = signer.sign('ticket', { tenantId: row.tenant_id, userId: 'a', keyId: row.key_id }, 60).token;
    const bad: ['key' | 'token' | 'ticket', string][] = [
      ['key', 'chatapi_x'],
      ['key', `${newApiKey().slice(0, -1)}!`],
      ['key', gone],
      ['token', `${token}x`],
      ['token', tokenFor(row, -1)],
      ['token', ticket],
      ['ticket', `${ticket}x`],
      ['ticket', token],
    ];
    for (const [kind, text] of bad) expect([text, verifier.isPlausible(kind, text, SOURCE)]).toEqual([text, false]);
    expect(verifier.isPlausible('token', token, SOURCE)).toBe(true);
    expect(verifier.isPlausible('ticket', ticket, SOURCE)).toBe(true);
    expect(keys.lookUps).toBe(lookUps);
  });
});

describe('S6: a guess', () => {
  it('is a key, or what was not signed here; not what has expired', () => {
    const { keys, verifier } = setUp();
    const row = keys.add(newApiKey());
    const key = newApiKey();
    const token = tokenFor(row);
    expect(verifier.guessOf('key', key)).toEqual({ prefix: key.slice(0, 14) });
    expect(verifier.guessOf('key', 'nonsense')).toEqual({ prefix: undefined });
    expect(verifier.guessOf('token', `${token}x`)).toEqual({});
    expect(verifier.guessOf('ticket', 'wst_x')).toEqual({});
    expect(verifier.guessOf('token', tokenFor(row, -10))).toBeUndefined();
  });
});

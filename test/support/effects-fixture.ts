import { randomUUID } from 'node:crypto';
import { Audit } from '../../src/platform/audit';
import { Caller } from '../../src/platform/auth';
import type { OpenDatabase } from '../../src/platform/database';
import { Effects } from '../../src/platform/idempotency';
import { KeyPurge } from '../../src/platform/idempotency/effects';
import { Secrets } from '../../src/platform/secrets';
import type { TestDatabase } from './database';
import { openTestDatabase } from './open-database';

export const TEST_SECRETS = new Secrets('master', 'j'.repeat(32), '0'.repeat(64), undefined);

/** The server's own way to the database, without a server around it. */
export interface EffectsFixture {
  readonly database: TestDatabase;
  readonly open: OpenDatabase;
  readonly effects: Effects;
  readonly purge: KeyPurge;
  /** The tenant that `caller` belongs to. */
  readonly tenantId: string;
  /** A call of a user of that tenant with an Idempotency-Key; the fingerprint stands for the body. */
  caller(key: string, fingerprint?: string, more?: { userId?: string; route?: string }): Caller;
  close(): Promise<void>;
}

/** Call in beforeAll; `close` in afterAll. */
export async function startEffects(): Promise<EffectsFixture> {
  const { database, open, close } = await openTestDatabase();
  const tenantId = randomUUID();
  await database.sql('INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)', [tenantId, 'test']);
  return {
    database,
    open,
    effects: new Effects(open.database, new Audit(TEST_SECRETS)),
    purge: new KeyPurge(open.system),
    tenantId,
    caller: (key, fingerprint = 'body', { userId = 'alice', route = 'POST /test' } = {}) => {
      const policy = { tenantId, status: 'active', limits: {}, settings: {} } as const;
      const caller = new Caller('key', randomUUID(), policy, userId, undefined, ['chat']);
      caller.idempotency = { key, route, fingerprint: Buffer.from(fingerprint) };
      return caller;
    },
    close,
  };
}

import { randomUUID } from 'node:crypto';
import {
  Audit,
  AuditRepository,
  type ChainFault,
  type ChainPage,
  type ChainPoint,
  type ChainProof,
  NO_MAC,
  proveBehind,
} from '../../src/platform/audit';
import { AuditTrail, Caller } from '../../src/platform/auth';
import { type Secrets } from '../../src/platform/secrets';
import { TEST_SECRETS } from './effects-fixture';
import { openTestDatabase, type OpenTestDatabase } from './open-database';

/** Chains of tenants without a server around them. */
export class AuditFixture {
  readonly repository: AuditRepository;

  private constructor(readonly test: OpenTestDatabase) {
    this.repository = new AuditRepository(test.open.database);
  }

  /** Call in beforeAll; `close` in afterAll. */
  static async open(): Promise<AuditFixture> {
    return new AuditFixture(await openTestDatabase());
  }

  close(): Promise<void> {
    return this.test.close();
  }

  /** A call of a route that renames a tenant; of a user, if one is given, else with the master key. */
  caller(tenantId: string, userId?: string): Caller {
    const policy = { tenantId, status: 'active', limits: {}, settings: {} } as const;
    const [kind, key] = userId === undefined ? (['master', undefined] as const) : (['token', randomUUID()] as const);
    const caller = new Caller(kind, randomUUID(), policy, userId, key, []);
    caller.audit = new AuditTrail(['tenant.update'], { ip: '203.0.113.7' });
    return caller;
  }

  /** Writes one row, in a transaction that `during` may spoil before it or after it. */
  async act(
    tenantId: string,
    {
      userId,
      secrets = TEST_SECRETS,
      before,
      after,
    }: {
      readonly userId?: string;
      readonly secrets?: Secrets;
      readonly before?: () => Promise<void>;
      readonly after?: () => Promise<void>;
    } = {},
  ): Promise<void> {
    const caller = this.caller(tenantId, userId);
    await this.test.open.database.transaction('act', tenantId, async (tx) => {
      await before?.();
      await new Audit(secrets).write(tx, tenantId, caller, 'tenant.update', {
        target: 'tenant_of_the_test',
        user: userId === undefined ? undefined : `friend of ${userId}`,
        before: { name: 'old' },
        after: { name: 'new' },
      });
      await after?.();
    });
  }

  /** A tenant that so many rows are written for, one after the other. */
  async chain(rows: number): Promise<string> {
    const tenantId = randomUUID();
    for (let n = 0; n < rows; n++) await this.act(tenantId);
    return tenantId;
  }

  /** What a proof says of a whole chain: the first fault, or how many rows hold. @param page rows per statement, and per call */
  async proof(tenantId: string, secrets = TEST_SECRETS, page = 1000, most = Infinity): Promise<ChainFault | number> {
    const keys = (keyId: string): Buffer | undefined => secrets.knownAuditKey(tenantId, keyId);
    const read = (after: number): Promise<ChainPage> => this.repository.chain(tenantId, after, page);
    let last: ChainPoint = { n: 0, mac: NO_MAC };
    for (let next: number | undefined = 0; next !== undefined;) {
      const proof: ChainProof = await proveBehind(read, keys, last, most);
      if (proof.fault !== undefined) return proof.fault;
      ({ last, next } = proof);
      if (next !== undefined && next < most) throw new Error('a call has proven fewer rows than it may');
    }
    return last.n;
  }
}

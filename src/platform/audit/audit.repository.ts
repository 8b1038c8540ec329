import { Injectable } from '@nestjs/common';
import { And, Equal, In, LessThan, LessThanOrEqual, MoreThanOrEqual } from 'typeorm';
import { Database, type Sql } from '../database';
import type { ChainHead, ChainPage, ChainRow } from './chain';
import { AuditLogEntity, AuditSubjectEntity } from './entities/audit.entity';

/** A row of the log. */
export type AuditRow = Readonly<Omit<AuditLogEntity, 'tenant_id' | 'key_id' | 'mac'>>;

/** Which rows are meant; what is undefined does not matter. */
export interface AuditFilter {
  readonly actor: string | undefined;
  readonly action: string | undefined;
  readonly target: string | undefined;
  /** A ref. */
  readonly subject: string | undefined;
  readonly from: Date | undefined;
  /** Inclusive. */
  readonly to: Date | undefined;
}

/** A row of a chain beside the head; one without a row where there is none behind. */
type JoinedRow = { readonly [K in keyof ChainRow]: ChainRow[K] | null } & {
  readonly [K in keyof ChainHead as `head_${K}`]: ChainHead[K] | null;
};

/** In one statement, and so of one moment: what is appended meanwhile is either in both or in none. */
const CHAIN = `
SELECT l.n, l.at, l.actor, l.action, l.target, l.subject, l.entry, l.key_id, l.mac,
  h.n AS head_n, h.mac AS head_mac, h.key_id AS head_key_id, h.seal AS head_seal
FROM (SELECT $1::uuid AS tenant_id) q
LEFT JOIN audit_heads h ON h.tenant_id = q.tenant_id
LEFT JOIN LATERAL (SELECT a.* FROM audit_log a WHERE a.tenant_id = $1 AND a.n > $2 ORDER BY a.n LIMIT $3) l ON true
ORDER BY l.n`;

const HEAD = 'SELECT n, mac, key_id, seal FROM audit_heads WHERE tenant_id = $1';

/** Reads the audit log. Its rows are written by functions of the schema alone. */
@Injectable()
export class AuditRepository {
  constructor(private readonly database: Database) {}

  /** The newest first, at most `limit`. @param before number of a row: those that are older than it */
  page(tenantId: string, filter: AuditFilter, before: number | undefined, limit: number): Promise<AuditRow[]> {
    const { actor, action, target, subject, from, to } = filter;
    const times = [...(from ? [MoreThanOrEqual(from)] : []), ...(to ? [LessThanOrEqual(to)] : [])];
    const equal = Object.entries({ actor, action, target, subject }).flatMap(([name, wanted]) =>
      wanted === undefined ? [] : [[name, Equal(wanted)]],
    );
    return this.database.repository(AuditLogEntity, tenantId).find({
      where: {
        tenant_id: tenantId,
        ...(Object.fromEntries(equal) as object),
        ...(times.length > 0 ? { at: And(...times) } : {}),
        ...(before === undefined ? {} : { n: LessThan(before) }),
      },
      order: { n: 'DESC' },
      take: limit,
    });
  }

  /** The users that these refs mean; those that were erased are missing. */
  async usersOf(tenantId: string, refs: readonly string[]): Promise<ReadonlyMap<string, string>> {
    if (refs.length === 0) return new Map();
    const where = { tenant_id: tenantId, ref: In(refs) };
    const rows = await this.database.repository(AuditSubjectEntity, tenantId).findBy(where);
    return new Map(rows.map((row) => [row.ref, row.user_id]));
  }

  /** undefined: the log has nothing of that user. */
  async refOf(tenantId: string, userId: string): Promise<string | undefined> {
    const where = { tenant_id: tenantId, user_id: userId };
    return (await this.database.repository(AuditSubjectEntity, tenantId).findOneBy(where))?.ref;
  }

  /** At most `limit` rows of a chain behind one, and its head. */
  async chain(tenantId: string, after: number, limit: number): Promise<ChainPage> {
    const rows = await this.database.query<JoinedRow>('audit chain', tenantId, CHAIN, [tenantId, after, limit]);
    const found = rows.filter((row) => row.n !== null) as ChainRow[];
    return { head: headOf(rows[0]), rows: found, isEnd: found.length < limit };
  }

  /** The end of a chain, within a transaction of its tenant; undefined: it has no row. */
  async headIn(tx: Sql, tenantId: string): Promise<ChainHead | undefined> {
    const [head] = await tx.query<ChainHead>(HEAD, [tenantId]);
    return head;
  }
}

function headOf(row: JoinedRow | undefined): ChainHead | undefined {
  if (row === undefined || row.head_n === null) return undefined;
  const { head_n, head_mac, head_key_id, head_seal } = row;
  return { n: head_n, mac: head_mac, key_id: head_key_id, seal: head_seal } as ChainHead;
}

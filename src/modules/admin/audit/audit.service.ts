import { Injectable } from '@nestjs/common';
import { invalid } from '../../../common/errors';
import { decodeId } from '../../../common/ids';
import {
  AuditRepository,
  type AuditRow,
  type ChainPage,
  type ChainPoint,
  type ChainProof,
  INSTALLATION,
  NO_MAC,
  proveBehind,
} from '../../../platform/audit';
import type { Caller } from '../../../platform/auth';
import { askedPage, pageOf } from '../../../platform/http';
import { Secrets } from '../../../platform/secrets';
import { KeysService, TenantsService } from '../../tenants';
import type {
  AuditActorDto,
  AuditItemDto,
  AuditPageDto,
  AuditQueryDto,
  AuditTargetDto,
  VerifiedAuditDto,
  VerifyAuditQueryDto,
} from './audit.dto';

/** What the master key says for the installation's own chain. */
const OF_INSTALLATION = 'installation';
const PERSON = 'person:';
/** Rows per statement, and per call, of a proof. */
const [PAGE, MOST] = [1000, 50_000];

/** What stands in a row's text beside its columns. */
type Entry = Pick<AuditItemDto, 'before' | 'after' | 'details' | 'request_id' | 'address'> & {
  readonly key: string | null;
};

/** What the rows of a page name only by ref or id. */
interface Names {
  readonly users: ReadonlyMap<string, string>;
  /** By UUID. */
  readonly keys: Awaited<ReturnType<KeysService['named']>>;
}

/** Shows the audit log and proves it. */
@Injectable()
export class AuditService {
  constructor(
    private readonly repository: AuditRepository,
    private readonly tenants: TenantsService,
    private readonly keys: KeysService,
    private readonly secrets: Secrets,
  ) {}

  async list(caller: Caller, query: AuditQueryDto): Promise<AuditPageDto> {
    const { limit, after } = askedPage(query, ['integer']);
    const tenantId = await this.chainOf(caller, query.tenant_id);
    const [actor, target] = await Promise.all([
      this.actorOf(tenantId, query.actor),
      this.targetOf(tenantId, query.target),
    ]);
    // A user that the log does not know has done nothing, and nothing was done to them.
    if (actor === 'nobody' || target === 'nobody') return { items: [], next: null };
    const filter = { ...actor, ...target, action: query.action, from: timeOf(query.from), to: timeOf(query.to) };
    const rows = await this.repository.page(tenantId, filter, after?.[0], limit + 1);
    const names = await this.namesOf(tenantId, rows);
    return pageOf(
      rows,
      limit,
      ({ n }) => [n],
      (row) => itemOf(row, names),
    );
  }

  /** Proves rows behind `after`, at most 50,000. */
  async verify(caller: Caller, { tenant_id, after = 0 }: VerifyAuditQueryDto): Promise<VerifiedAuditDto> {
    const tenantId = await this.chainOf(caller, tenant_id);
    const from = await this.pointAt(tenantId, after);
    // The row that the call before has ended with is gone.
    if (from === undefined) return { ...provenView(after), holds: false, fault: { n: after, why: 'missing' } };
    const read = (n: number): Promise<ChainPage> => this.repository.chain(tenantId, n, PAGE);
    const keys = (keyId: string): Buffer | undefined => this.secrets.knownAuditKey(tenantId, keyId);
    return provenView(after, await proveBehind(read, keys, from, MOST));
  }

  private async chainOf(caller: Caller, tenant: string | undefined): Promise<string> {
    if (tenant === OF_INSTALLATION && caller.kind === 'master') return INSTALLATION;
    return this.tenants.scoped(caller, tenant);
  }

  /** The row that a proof goes on behind; undefined: it is not there. */
  private async pointAt(tenantId: string, n: number): Promise<ChainPoint | undefined> {
    if (n === 0) return { n, mac: NO_MAC };
    const [row] = (await this.repository.chain(tenantId, n - 1, 1)).rows;
    return row?.n === n ? row : undefined;
  }

  private async actorOf(
    tenantId: string,
    asked: string | undefined,
  ): Promise<{ actor: string | undefined } | 'nobody'> {
    if (asked === undefined || asked === 'master') return { actor: asked };
    const [kind, id] = parted(asked);
    if (kind === 'key') return { actor: asked };
    if (kind !== 'user') throw invalid('actor', 'actor must be master, key:<id> or user:<id>');
    const ref = await this.repository.refOf(tenantId, id);
    return ref === undefined ? 'nobody' : { actor: PERSON + ref };
  }

  private async targetOf(
    tenantId: string,
    asked: string | undefined,
  ): Promise<{ target: string | undefined; subject: string | undefined } | 'nobody'> {
    if (asked === undefined) return { target: undefined, subject: undefined };
    const [kind, id] = parted(asked);
    if (kind === '' || id === '') throw invalid('target', 'target must be <kind>:<id>');
    if (kind !== 'user') return { target: asked, subject: undefined };
    const subject = await this.repository.refOf(tenantId, id);
    return subject === undefined ? 'nobody' : { target: undefined, subject };
  }

  private async namesOf(tenantId: string, rows: readonly AuditRow[]): Promise<Names> {
    const actors = rows.flatMap(({ actor }) => (actor.startsWith(PERSON) ? [actor.slice(PERSON.length)] : []));
    const refs = new Set([...actors, ...rows.flatMap(({ subject }) => subject ?? [])]);
    const keys = new Set(rows.flatMap((row) => decodeId('key', entryOf(row).key) ?? []));
    const [users, named] = await Promise.all([
      this.repository.usersOf(tenantId, [...refs]),
      this.keys.named(tenantId, [...keys]),
    ]);
    return { users, keys: named };
  }
}

/** @param proof undefined: none was possible */
function provenView(after: number, proof?: ChainProof): VerifiedAuditDto {
  const { last = { n: after }, head, fault, next } = proof ?? {};
  return {
    holds: fault === undefined,
    checked_to: last.n,
    rows: last.n - after,
    head: head === undefined ? null : { n: head.n, mac: head.mac.toString('hex') },
    fault: fault ?? null,
    next: next ?? null,
  };
}

function itemOf(row: AuditRow, names: Names): AuditItemDto {
  const { before, after, details, request_id, address } = entryOf(row);
  return {
    n: row.n,
    at: row.at.toISOString(),
    actor: actorView(row, names),
    action: row.action,
    target: targetView(row, names),
    before,
    after,
    details,
    request_id,
    address: row.address ?? address,
  };
}

function actorView(row: AuditRow, { users, keys }: Names): AuditActorDto {
  const { key } = entryOf(row);
  const shown = keys.get(decodeId('key', key) ?? '');
  const of = { key_id: key, key_name: shown?.name ?? null, key_prefix: shown?.prefix ?? null };
  if (row.actor.startsWith(PERSON))
    return { kind: 'user', ...of, user_id: users.get(row.actor.slice(PERSON.length)) ?? null };
  return { kind: row.actor === 'master' ? 'master' : 'key', ...of, user_id: null };
}

function targetView({ target, subject }: AuditRow, { users }: Names): AuditTargetDto | null {
  const user_id = (subject !== null && users.get(subject)) || null;
  if (target === null) return subject === null ? null : { kind: 'user', id: null, user_id };
  const [kind, id] = parted(target);
  return { kind, id, user_id };
}

/** One that was spoiled by SQL is listed without what it held: that it is, `verify` tells. */
function entryOf({ entry }: AuditRow): Entry {
  try {
    return JSON.parse(entry) as Entry;
  } catch {
    return { before: null, after: null, details: null, request_id: '', key: null, address: null };
  }
}

/** `<kind>:<id>`; both empty where there is no colon. */
function parted(text: string): [string, string] {
  const at = text.indexOf(':');
  return at < 0 ? ['', ''] : [text.slice(0, at), text.slice(at + 1)];
}

function timeOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

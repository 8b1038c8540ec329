import { Injectable } from '@nestjs/common';
import { invalid, notFound } from '../../common/errors';
import { decodeId, encodeId, newUuid } from '../../common/ids';
import { pageInfo, type PageRequest } from '../../common/limits';
import type { AuditFields } from '../../platform/audit';
import type { Caller } from '../../platform/auth';
import { Effects } from '../../platform/idempotency';
import { hashApiKey, newApiKey, shownPrefix } from './api-key';
import type { CreateKeyDto, KeyCreatedDto, KeyDto, KeyPageDto, RotateKeyDto } from './dto/key.dto';
import { type KeyChange, type KeyRow, KeysRepository, type NewKeyRow } from './keys.repository';
import { TenantsService } from './tenants.service';
import { TenantCredentialVerifier } from './verifier';

const DEFAULT_OVERLAP_SECONDS = 3600;

/** The API keys of a tenant. */
@Injectable()
export class KeysService {
  constructor(
    private readonly repository: KeysRepository,
    private readonly tenants: TenantsService,
    private readonly verifier: TenantCredentialVerifier,
    private readonly effects: Effects,
  ) {}

  async list(caller: Caller, tenantId: string, page: PageRequest): Promise<KeyPageDto> {
    const id = await this.tenants.managed(caller, tenantId);
    const { rows, total } = await this.repository.page(id, page);
    return { keys: rows.map(keyView), ...pageInfo(page, rows.length, total) };
  }

  /** Makes a key; the key itself is in this answer only. Throws 400 for an expiry that is not in the future. */
  async create(caller: Caller, tenantId: string, input: CreateKeyDto): Promise<KeyCreatedDto> {
    const expiresAt = input.expires_at === undefined ? null : new Date(input.expires_at);
    if (expiresAt !== null && expiresAt.getTime() <= Date.now())
      throw invalid('expires_at', 'expires_at must be in the future');
    const id = await this.tenants.managed(caller, tenantId);
    const apiKey = newApiKey();
    const key: NewKeyRow = {
      key_id: newUuid(),
      name: input.name,
      prefix: shownPrefix(apiKey),
      hash: hashApiKey(apiKey),
      scopes: input.scopes ?? ['chat'],
    };
    const { row } = await this.effects.transaction(
      caller,
      'create key',
      async (tx) => ({ status: 'ok', row: await this.repository.create(tx, id, key, expiresAt) }),
      {
        tenantId: id,
        audit: { action: 'key.create', entry: ({ row }) => ({ target: keyOf(row), after: audited(row) }) },
      },
    );
    this.verifier.forget();
    return { ...keyView(row), api_key: apiKey };
  }

  /** Makes a successor with the same name and scopes; the old key works for the overlap. */
  async rotate(caller: Caller, tenantId: string, keyId: string, input: RotateKeyDto): Promise<KeyCreatedDto> {
    const id = await this.tenants.managed(caller, tenantId);
    const old = decodeId('key', keyId);
    const apiKey = newApiKey();
    const next = { key_id: newUuid(), prefix: shownPrefix(apiKey), hash: hashApiKey(apiKey) };
    const overlap = input.overlap_seconds ?? DEFAULT_OVERLAP_SECONDS;
    if (old === undefined) throw notFound('Key');
    const { changed } = await this.effects.transaction(
      caller,
      'rotate key',
      async (tx) => {
        const changed = await this.repository.rotate(tx, id, old, next, overlap);
        return { status: changed === undefined ? 'not_found' : 'ok', changed };
      },
      {
        tenantId: id,
        audit: {
          action: 'key.rotate',
          entry: ({ changed }) =>
            changed && {
              ...changeOf(changed),
              details: { next_key: keyOf(changed.next) },
            },
        },
      },
    );
    if (changed === undefined) throw notFound('Key');
    this.verifier.forget();
    return { ...keyView(changed.next), api_key: apiKey };
  }

  /** Ends a key: its calls are refused within 2 s, here at once. Revoking twice changes nothing. */
  async revoke(caller: Caller, tenantId: string, keyId: string): Promise<void> {
    const id = await this.tenants.managed(caller, tenantId);
    const key = decodeId('key', keyId);
    if (key === undefined) throw notFound('Key');
    const { changed } = await this.effects.transaction(
      caller,
      'revoke key',
      async (tx) => {
        const changed = await this.repository.revoke(tx, id, key);
        return { status: changed === undefined ? 'not_found' : 'ok', changed };
      },
      { tenantId: id, audit: { action: 'key.revoke', entry: ({ changed }) => changed && changeOf(changed) } },
    );
    if (changed === undefined) throw notFound('Key');
    this.verifier.forget();
  }

  /** What is shown of some keys, by their UUIDs, also of those that are revoked. */
  async named(
    tenantId: string,
    keyIds: readonly string[],
  ): Promise<ReadonlyMap<string, Pick<KeyDto, 'name' | 'prefix'>>> {
    if (keyIds.length === 0) return new Map();
    const rows = await this.repository.named(tenantId, keyIds);
    return new Map(rows.map(({ key_id, name, prefix }) => [key_id, { name, prefix }]));
  }
}

function keyOf(row: KeyRow): string {
  return encodeId('key', row.key_id);
}

function changeOf({ before, after }: KeyChange): {
  readonly target: string;
  readonly before: AuditFields<'key.create'>;
  readonly after: AuditFields<'key.create'>;
} {
  return { target: keyOf(before), before: audited(before), after: audited(after) };
}

function audited({ name, scopes, expires_at, revoked_at }: KeyRow): AuditFields<'key.create'> {
  return { name, scopes, expires_at, revoked_at };
}

/** A key as lists show it: never the key itself. */
function keyView(row: KeyRow): KeyDto {
  return {
    key_id: encodeId('key', row.key_id),
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    last_used_at: row.last_used_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}

import { Injectable } from '@nestjs/common';
import { invalid, notFound } from '../../common/errors';
import { decodeId, encodeId, newUuid } from '../../common/ids';
import { pageInfo, type PageRequest } from '../../common/limits';
import type { Caller } from '../../platform/auth';
import { hashApiKey, newApiKey, shownPrefix } from './api-key';
import type { CreateKeyDto, KeyCreatedDto, KeyDto, KeyPageDto, RotateKeyDto } from './dto/key.dto';
import { type KeyRow, KeysRepository } from './keys.repository';
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
    const row = await this.repository.create(
      id,
      {
        key_id: newUuid(),
        name: input.name,
        prefix: shownPrefix(apiKey),
        hash: hashApiKey(apiKey),
        scopes: input.scopes ?? ['chat'],
      },
      expiresAt,
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
    const row = old === undefined ? undefined : await this.repository.rotate(id, old, next, overlap);
    if (!row) throw notFound('Key');
    this.verifier.forget();
    return { ...keyView(row), api_key: apiKey };
  }

  /** Ends a key: its calls are refused within 2 s, here at once. Revoking twice changes nothing. */
  async revoke(caller: Caller, tenantId: string, keyId: string): Promise<void> {
    const id = await this.tenants.managed(caller, tenantId);
    const key = decodeId('key', keyId);
    if (key === undefined || !(await this.repository.revoke(id, key))) throw notFound('Key');
    this.verifier.forget();
  }
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

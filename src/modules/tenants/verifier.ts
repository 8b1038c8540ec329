import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CredentialVerifier, type KeyGrant, type TenantPolicy, type TokenGrant } from '../../platform/auth';
import { Secrets } from '../../platform/secrets';
import { hashApiKey, isWellFormedApiKey } from './api-key';
import { KeysRepository, type LiveKeyRow } from './keys.repository';
import { KeyUses } from './key-uses';
import { TokenSigner } from './token-signer';

/** How long a proven credential is believed without asking again: revocation is in force within this time. */
export const GRANT_TTL_MS = 2000;
const CACHED_KEYS = 20_000;
const CACHED_TOKENS = 100_000;

interface Cached<G> {
  readonly grant: G | undefined;
}

/**
 * Proves credentials. A malformed key is refused without I/O; a well-formed one is looked up by its SHA-256, once
 * for all concurrent requests, and believed for 2 s (unknown ones too, so guessing costs no database). A change made
 * by this server is seen at once: `forget` drops what is cached.
 */
@Injectable()
export class TenantCredentialVerifier extends CredentialVerifier {
  private readonly keys = new LRUCache<string, Cached<KeyGrant>>({ max: CACHED_KEYS, ttl: GRANT_TTL_MS });
  private readonly keysById = new LRUCache<string, Cached<TenantPolicy>>({ max: CACHED_KEYS, ttl: GRANT_TTL_MS });
  private readonly tokens = new LRUCache<string, Cached<TokenGrant>>({ max: CACHED_TOKENS, ttl: GRANT_TTL_MS });
  private readonly pending = new Map<string, Promise<unknown>>();
  private readonly masterHash: Buffer;
  private generation = 0;

  constructor(
    private readonly repository: KeysRepository,
    private readonly signer: TokenSigner,
    private readonly uses: KeyUses,
    secrets: Secrets,
  ) {
    super();
    this.masterHash = sha256(secrets.masterKey);
  }

  verifyKey(apiKey: string): KeyGrant | undefined | Promise<KeyGrant | undefined> {
    if (!isWellFormedApiKey(apiKey)) return undefined;
    const hash = hashApiKey(apiKey);
    const id = hash.toString('base64');
    const cached = this.keys.get(id);
    if (!cached) return this.once(`key:${id}`, () => this.loadKey(hash, id));
    if (cached.grant) this.uses.note(cached.grant.tenant.tenantId, cached.grant.keyId);
    return cached.grant;
  }

  verifyToken(token: string): TokenGrant | undefined | Promise<TokenGrant | undefined> {
    const id = sha256(token).toString('base64');
    const cached = this.tokens.get(id);
    if (cached) return cached.grant;
    const claims = this.signer.read(token, 'user');
    if (!claims) return undefined;
    return this.once(`token:${id}`, async () => {
      const { generation } = this;
      const tenant = await this.policyOfKey(claims.tenantId, claims.keyId);
      const grant = tenant && { keyId: claims.keyId, userId: claims.userId, tenant };
      const ttl = Math.min(GRANT_TTL_MS, claims.expiresAtMs - Date.now());
      if (ttl > 0 && generation === this.generation) this.tokens.set(id, { grant }, { ttl });
      return grant;
    });
  }

  isMasterKey(key: string): boolean {
    return timingSafeEqual(sha256(key), this.masterHash);
  }

  /** Drops everything that is cached, after a change of keys or tenants. */
  forget(): void {
    this.generation++;
    this.keys.clear();
    this.keysById.clear();
    this.tokens.clear();
  }

  private async loadKey(hash: Buffer, id: string): Promise<KeyGrant | undefined> {
    const { generation } = this;
    const row = await this.repository.liveByHash(hash);
    const grant =
      row && timingSafeEqual(row.hash, hash)
        ? { keyId: row.key_id, scopes: row.scopes, tenant: policyOf(row) }
        : undefined;
    if (generation === this.generation) this.keys.set(id, { grant });
    if (grant) this.uses.note(grant.tenant.tenantId, grant.keyId);
    return grant;
  }

  private async policyOfKey(tenantId: string, keyId: string): Promise<TenantPolicy | undefined> {
    const cached = this.keysById.get(keyId);
    if (cached) return cached.grant;
    const { generation } = this;
    const row = await this.repository.liveById(tenantId, keyId);
    const grant = row && policyOf(row);
    if (generation === this.generation) this.keysById.set(keyId, { grant });
    return grant;
  }

  /** Concurrent look-ups of one credential share one query. */
  private once<G>(id: string, load: () => Promise<G>): Promise<G> {
    const running = this.pending.get(id) as Promise<G> | undefined;
    if (running) return running;
    const started = load().finally(() => this.pending.delete(id));
    this.pending.set(id, started);
    return started;
  }
}

function policyOf(row: LiveKeyRow): TenantPolicy {
  return { tenantId: row.tenant_id, status: row.status, settings: row.settings, limits: row.limits };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

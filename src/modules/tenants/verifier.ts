import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import {
  CredentialVerifier,
  type KeyGrant,
  type TenantPolicy,
  type TicketGrant,
  type TokenGrant,
} from '../../platform/auth';
import { Secrets } from '../../platform/secrets';
import { hashApiKey, isWellFormedApiKey } from './api-key';
import { KeysRepository, type LiveKeyRow } from './keys.repository';
import { KeyUses } from './key-uses';
import { type ReadClaims, TokenSigner } from './token-signer';

/** How long a look-up is believed without asking again: a revocation made elsewhere is in force within this time. */
export const GRANT_TTL_MS = 2000;
const CACHED_KEYS = 20_000;
const CACHED_TOKENS = 100_000;

/** A live key, for the tokens that it minted. */
interface KeyState {
  readonly tenant: TenantPolicy;
  readonly endsAtMs: number | undefined;
}

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
  /** By tenant and key: a token that names another tenant must not speak for the key's own. */
  private readonly keysById = new LRUCache<string, Cached<KeyState>>({ max: CACHED_KEYS, ttl: GRANT_TTL_MS });
  /** Tokens whose signature is good. Whether their key still lives is never part of it: that is `keysById`. */
  private readonly tokens = new LRUCache<string, ReadClaims>({ max: CACHED_TOKENS });
  private readonly pending = new Map<string, Promise<unknown>>();
  private readonly masterHash: Buffer;
  private generation = 0;
  private readonly forgetHandlers: (() => void)[] = [];

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
    const claims = this.claimsOf(token);
    return claims && this.withKey(claims, (key) => tokenGrant(claims, key, claims.expiresAtMs));
  }

  verifyTicket(ticket: string): TicketGrant | undefined | Promise<TicketGrant | undefined> {
    const claims = this.signer.read(ticket, 'ticket');
    return (
      claims &&
      this.withKey(claims, (key) => {
        const grant = tokenGrant(claims, key, claims.sessionEndsAtMs);
        const { tokenId: ticketId, expiresAtMs: usableUntilMs, epoch } = claims;
        return grant && { ...grant, ticketId, usableUntilMs, epoch };
      })
    );
  }

  isMasterKey(key: string): boolean {
    return timingSafeEqual(sha256(key), this.masterHash);
  }

  /** Drops everything that is cached or being looked up, after a change of keys or tenants. */
  forget(): void {
    this.generation++;
    this.keys.clear();
    this.keysById.clear();
    // A look-up that began before the change may answer the calls that wait for it, but no later one.
    this.pending.clear();
    for (const handler of this.forgetHandlers) handler();
  }

  /** Calls back after every `forget`. */
  onForget(handler: () => void): void {
    this.forgetHandlers.push(handler);
  }

  /** What a good token says. The signature is checked once; the expiry every time. */
  private claimsOf(token: string): ReadClaims | undefined {
    const id = sha256(token).toString('base64');
    const cached = this.tokens.get(id);
    if (cached && cached.expiresAtMs > Date.now()) return cached;
    const claims = this.signer.read(token, 'user');
    if (claims) this.tokens.set(id, claims);
    else this.tokens.delete(id);
    return claims;
  }

  private async loadKey(hash: Buffer, id: string): Promise<KeyGrant | undefined> {
    const { generation } = this;
    const row = await this.repository.liveByHash(hash);
    const grant =
      row && timingSafeEqual(row.hash, hash)
        ? { keyId: row.key_id, scopes: row.scopes, tenant: policyOf(row), endsAtMs: row.expires_at?.getTime() }
        : undefined;
    if (generation === this.generation) this.keys.set(id, { grant });
    if (grant) this.uses.note(grant.tenant.tenantId, grant.keyId);
    return grant;
  }

  /** Asks for the key that minted a token. */
  private withKey<G>(claims: ReadClaims, grant: (key: KeyState | undefined) => G): G | Promise<G> {
    const { tenantId, keyId } = claims;
    const cached = this.keysById.get(`${tenantId} ${keyId}`);
    if (cached) return grant(cached.grant);
    return this.once(`id:${tenantId} ${keyId}`, () => this.loadKeyById(tenantId, keyId)).then(grant);
  }

  private async loadKeyById(tenantId: string, keyId: string): Promise<KeyState | undefined> {
    const { generation } = this;
    const row = await this.repository.liveById(tenantId, keyId);
    const grant = row && { tenant: policyOf(row), endsAtMs: row.expires_at?.getTime() };
    if (generation === this.generation) this.keysById.set(`${tenantId} ${keyId}`, { grant });
    return grant;
  }

  /** Concurrent look-ups of one credential share one query. */
  private once<G>(id: string, load: () => Promise<G>): Promise<G> {
    const running = this.pending.get(id) as Promise<G> | undefined;
    if (running) return running;
    const started = load().finally(() => {
      if (this.pending.get(id) === started) this.pending.delete(id);
    });
    this.pending.set(id, started);
    return started;
  }
}

/** A token ends with its own expiry or with its key, whichever is first. */
function tokenGrant(claims: ReadClaims, key: KeyState | undefined, ends: number | undefined): TokenGrant | undefined {
  if (key?.tenant.tenantId !== claims.tenantId) return undefined;
  const endsAtMs = Math.min(ends ?? Infinity, key.endsAtMs ?? Infinity);
  return {
    keyId: claims.keyId,
    userId: claims.userId,
    tenant: key.tenant,
    endsAtMs: Number.isFinite(endsAtMs) ? endsAtMs : undefined,
  };
}

function policyOf(row: LiveKeyRow): TenantPolicy {
  return { tenantId: row.tenant_id, status: row.status, settings: row.settings, limits: row.limits };
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { createHash, timingSafeEqual } from 'node:crypto';
import { Batching } from '../../common/batching';
import { unavailable } from '../../common/errors';
import { addressGroup } from '../../common/text';
import {
  API_KEY_PREFIX,
  type CallSource,
  CredentialVerifier,
  type Guess,
  type KeyGrant,
  type TenantPolicy,
  type TicketGrant,
  type TokenGrant,
} from '../../platform/auth';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { Secrets } from '../../platform/secrets';
import { hashApiKey, isWellFormedApiKey, shownPrefix } from './api-key';
import { KeysRepository, type LiveKeyRow } from './keys.repository';
import { type ReadClaims, TokenSigner } from './tokens.service';

const FLUSH_MS = 5000;

/** Collects when keys were used and writes it every 5 s and at the end, in one statement: no write per request. */
@Injectable()
export class KeyUses {
  private uses = new Map<string, { tenantId: string; keyId: string; at: number }>();

  constructor(private readonly repository: KeysRepository) {}

  note(tenantId: string, keyId: string): void {
    const known = this.uses.get(keyId);
    if (known) known.at = Date.now();
    else this.uses.set(keyId, { tenantId, keyId, at: Date.now() });
  }

  @Every(FLUSH_MS, 'last use of API keys')
  @OnStop(StopStage.workers)
  async flush(): Promise<void> {
    if (this.uses.size === 0) return;
    const batch = [...this.uses.values()].map((use) => ({ ...use, at: new Date(use.at) }));
    this.uses = new Map();
    await this.repository.touch(batch);
  }
}

/** How long a look-up is believed without asking again: a revocation made elsewhere is in force within this time. */
export const GRANT_TTL_MS = 2000;
const CACHED_KEYS = 20_000;
const CACHED_TOKENS = 100_000;
const REMEMBERED_KEYS = 100_000;

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
 * for all concurrent requests, and believed for 2 s (unknown ones too, so guessing costs no database). A key that was
 * good before is looked up by itself, so that a client that invents keys makes no other client wait; keys that were
 * not shown before wait among themselves (`StrangerKeys`), and what is found of them drops nothing that is known of good
 * ones. A change made by this server is seen at once: `forget` drops what is cached.
 */
@Injectable()
export class TenantCredentialVerifier extends CredentialVerifier {
  private readonly keys = new LRUCache<string, KeyGrant>({ max: CACHED_KEYS, ttl: GRANT_TTL_MS });
  /** Hashes of well-formed keys that do not live. */
  private readonly unknown = new LRUCache<string, true>({ max: CACHED_KEYS, ttl: GRANT_TTL_MS });
  /** Hashes of keys that were good once: not that they still are, but that they were not made up. */
  private readonly remembered = new LRUCache<string, true>({ max: REMEMBERED_KEYS });
  private readonly strangers: StrangerKeys;
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
    this.strangers = new StrangerKeys(repository);
    this.masterHash = sha256(secrets.masterKey);
  }

  verifyKey(apiKey: string, source: CallSource): KeyGrant | undefined | Promise<KeyGrant | undefined> {
    if (!isWellFormedApiKey(apiKey)) return undefined;
    const hash = hashApiKey(apiKey);
    const id = hash.toString('base64');
    const grant = this.keys.get(id);
    if (grant) {
      this.uses.note(grant.tenant.tenantId, grant.keyId);
      return grant;
    }
    if (this.unknown.has(id)) return undefined;
    if (this.remembered.has(id)) return this.once(`key:${id}`, () => this.loadKey(id, hash, undefined));
    return this.once(`stranger:${id}`, () => this.loadKey(id, hash, source));
  }

  isPlausible(kind: 'key' | 'token' | 'ticket', credential: string, source: CallSource): boolean | Promise<boolean> {
    if (kind !== 'key') {
      const claims = kind === 'token' ? this.claimsOf(credential) : this.signer.read(credential, 'ticket');
      const key = claims && this.keysById.get(`${claims.tenantId} ${claims.keyId}`);
      return claims !== undefined && (key === undefined || key.grant !== undefined);
    }
    if (!isWellFormedApiKey(credential)) return false;
    const id = hashApiKey(credential).toString('base64');
    // Looked up when its turn comes.
    if (this.remembered.has(id)) return !this.unknown.has(id);
    const grant = this.verifyKey(credential, source);
    return grant instanceof Promise ? grant.then((found) => found !== undefined) : grant !== undefined;
  }

  guessOf(kind: 'key' | 'token' | 'ticket', credential: string): Guess | undefined {
    if (kind === 'key') return { prefix: credential.startsWith(API_KEY_PREFIX) ? shownPrefix(credential) : undefined };
    return this.signer.isOurs(credential, kind === 'token' ? 'user' : 'ticket') ? undefined : {};
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
        const { tokenId: ticketId, expiresAtMs: usableUntilMs, epoch, timeline } = claims;
        return grant && { ...grant, ticketId, usableUntilMs, epoch, timeline };
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
    this.unknown.clear();
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

  /** @param stranger where a key comes from that was never good; undefined: it was */
  private async loadKey(id: string, hash: Buffer, stranger: CallSource | undefined): Promise<KeyGrant | undefined> {
    const { generation } = this;
    const row = await (stranger ? this.strangers.lookUp(hash, stranger) : this.repository.liveByHash(hash));
    const grant =
      row && timingSafeEqual(row.hash, hash)
        ? { keyId: row.key_id, scopes: row.scopes, tenant: policyOf(row), endsAtMs: row.expires_at?.getTime() }
        : undefined;
    if (generation === this.generation) {
      if (grant) this.keys.set(id, grant);
      else this.unknown.set(id, true);
    }
    if (grant) {
      this.remembered.set(id, true);
      this.uses.note(grant.tenant.tenantId, grant.keyId);
    }
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

/** Keys that one statement looks up, and as many as may wait for one address. */
const AT_ONCE = 500;
/** Of all addresses. */
const MOST = 20_000;

/**
 * Looks up keys that no client has shown before. They wait here among themselves, so that a flood of invented keys with good
 * checksums stands before no known key.
 *
 * Invariants
 * - One statement runs at a time; whatever comes meanwhile goes together in the next one. So a flood costs the database
 *   one connection, and a new key that is good waits for the statement that runs and for its own.
 * - An address (IPv6: its /64) has at most one statement's worth of keys here; more are refused with 503.
 */
class StrangerKeys {
  private readonly waiting = new Map<string, number>();
  private inAll = 0;
  private readonly lookUps: Batching<Buffer, LiveKeyRow | undefined>;

  constructor(repository: KeysRepository) {
    this.lookUps = new Batching(async (hashes) => {
      const rows = await repository.liveByHashes(hashes);
      const found = new Map(rows.map((row) => [row.hash.toString('base64'), row]));
      return hashes.map((hash) => found.get(hash.toString('base64')));
    }, AT_ONCE);
  }

  /** Rejects with 503 where too many wait, or the database is away. */
  async lookUp(hash: Buffer, { ip }: CallSource): Promise<LiveKeyRow | undefined> {
    const address = addressGroup(ip);
    const others = this.waiting.get(address) ?? 0;
    if (others >= AT_ONCE || this.inAll >= MOST)
      throw unavailable('Too many unknown API keys are being looked up; try again later');
    this.waiting.set(address, others + 1);
    this.inAll++;
    try {
      return await this.lookUps.submit(hash);
    } finally {
      this.inAll--;
      const left = (this.waiting.get(address) ?? 1) - 1;
      if (left === 0) this.waiting.delete(address);
      else this.waiting.set(address, left);
    }
  }
}

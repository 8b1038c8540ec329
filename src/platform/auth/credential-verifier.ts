import type { TenantPolicy } from './tenant-policy';

export type Scope = 'chat' | 'admin';

/** What an API key stands for. */
export interface KeyGrant {
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  readonly tenant: TenantPolicy;
}

/** What a user token stands for; it dies with the key that minted it. */
export interface TokenGrant {
  readonly keyId: string;
  readonly userId: string;
  readonly tenant: TenantPolicy;
}

/**
 * Tells what a credential stands for, or undefined when it is not good (unknown, expired, revoked, forged). The
 * tenants module implements it. Answers synchronously where it can: the hot path then costs no promise. A rejected
 * promise means that the database is away (503), never that the credential is bad.
 */
export abstract class CredentialVerifier {
  abstract verifyKey(apiKey: string): KeyGrant | undefined | Promise<KeyGrant | undefined>;
  abstract verifyToken(token: string): TokenGrant | undefined | Promise<TokenGrant | undefined>;
  abstract isMasterKey(key: string): boolean;
}

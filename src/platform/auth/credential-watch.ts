import type { TenantPolicy } from './tenant-policy';

/** What became of keys and tenants, for connections that were opened with them. The same change may be told again. */
export interface CredentialChanges {
  readonly keys: readonly {
    readonly tenantId: string;
    readonly keyId: string;
    readonly revoked: boolean;
    /** When the key expires, in milliseconds since 1970; undefined: never. */
    readonly endsAtMs: number | undefined;
  }[];
  /** As they are now. */
  readonly tenants: readonly TenantPolicy[];
  /** Tenants that exist no more. */
  readonly gone: readonly string[];
}

/** Tells what has changed, on whichever node. The tenants module implements it. */
export abstract class CredentialWatch {
  /**
   * What changed in these tenants in the last 30 s, and since the call before if that is longer ago. Rejects with 503
   * while the database is away; the next call makes up for it.
   */
  abstract read(tenantIds: readonly string[]): Promise<CredentialChanges>;
  /** Calls back after every change that this node made itself. */
  abstract onOwnChange(handler: () => void): void;
}

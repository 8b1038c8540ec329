/**
 * Authentication and authorisation by route rule: deny by default. The credentials themselves are verified by the
 * tenants module through the CredentialVerifier port.
 */
export { Access, type AccessKind, type RouteAccess } from './access';
export { ApiKeyGuard, ruleOf } from './api-key.guard';
export { BadCredential } from './bad-credential';
export { Authenticator, type CredentialHeaders, type Identity } from './authenticator';
export { Caller, type IdempotencyClaim } from './caller';
export { type CredentialChanges, CredentialWatch } from './credential-watch';
export {
  type CallSource,
  type CredentialKind,
  CredentialVerifier,
  type Guess,
  type KeyGrant,
  type Scope,
  TICKET_PREFIX,
  type TicketGrant,
  Tickets,
  type TokenGrant,
} from './credential-verifier';
export {
  LIMIT_DEFAULTS,
  type LimitName,
  limitOf,
  type TenantLimits,
  type TenantPolicy,
  type TenantSettings,
} from './tenant-policy';

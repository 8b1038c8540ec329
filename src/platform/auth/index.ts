/**
 * Authentication and authorisation by route rule: deny by default. The credentials themselves are verified by the
 * tenants module through the CredentialVerifier port.
 */
export { Access, type AccessKind, accessOf, addRouteConfig, CALLERS, type RouteAccess } from './access';
export { ApiKeyGuard, ruleOf } from './api-key.guard';
export {
  API_KEY_PREFIX,
  BadCredential,
  type CallSource,
  type CredentialChanges,
  type CredentialKind,
  CredentialVerifier,
  CredentialWatch,
  type Guess,
  type KeyGrant,
  TICKET_PREFIX,
  type TicketGrant,
  Tickets,
  type TokenGrant,
  UserRefusals,
} from './credential-verifier';
export { Authenticator, type CredentialHeaders, type Identity, userErased } from './authenticator';
export {
  AuditTrail,
  Caller,
  type IdempotencyClaim,
  LIMIT_DEFAULTS,
  type LimitName,
  limitOf,
  type Scope,
  SETTING_DEFAULTS,
  type SettingName,
  settingOf,
  type TenantLimits,
  type TenantPolicy,
  type TenantSettings,
} from './caller';

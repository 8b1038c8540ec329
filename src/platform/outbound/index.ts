/**
 * Requests to addresses that tenants choose: webhooks, and channels of models.
 *
 * Invariants: no connection to an address that was not checked; no redirect; one deadline over all; a bounded part of
 * the answer is read. Stateless: every request has its own connection.
 */
export { isAllowedAddress } from './addresses';
export { type OutboundAnswer, OutboundError, type OutboundRequest, OutboundSender } from './sender';
export { targetOf } from './target';

/**
 * Requests to addresses that tenants choose: webhooks, and channels of models.
 *
 * Invariants: no connection to an address that was not checked; no redirect; a bounded part of the answer is read; one
 * deadline over all of a post, and one over the connecting of a stream. Stateless: every request has its own connection.
 */
export { OutboundError, publicUrl } from './connect';
export { outboundPost, type OutboundPost, type OutboundPostOptions, type StreamAnswer } from './post';
export { type OutboundAnswer, type OutboundRequest, OutboundSender } from './sender';

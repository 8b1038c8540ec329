/**
 * What tenants use: messages, storage, answers of models and their tokens, by day, user, room and model (docs/adr/0031).
 *
 * Owns the tables usage_*. Counted is the log itself, afterwards: an append counts nothing. Invariants: the figures are
 * those of the committed log, each message and each run counted once, whatever dies and whoever counts at the same time;
 * what is edited or deleted is counted in that transaction; what was committed before `complete_to` is in. Days are UTC,
 * by the database's clock. Deliveries, posts of webhooks and most connections are flushed from memory each minute: they
 * are approximate, and say so.
 *
 * Concurrency: a pass over a tenant goes in short transactions, holds rooms' marks in them and waits for nobody's send;
 * two passes at once count once.
 */
export { UsageModule } from './usage.module';

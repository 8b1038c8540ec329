/**
 * Live numbers: what happens now, each second for ten minutes, each minute for seven days (docs/adr/0030).
 *
 * Owns the tables stats_minutes and server_minutes. Counts nothing itself: it reads what the parts of the server count and
 * know anyway (`Metrics.tenant`, `@Stat`). Invariants: a sample costs what has happened within its second and the places of
 * the ring, never the number of tenants, rooms or messages; the ring holds at most 16 MB; the database is asked for counts
 * at most once in ten seconds for all and for each tenant that somebody looks at, and every count ends at 10,000.
 *
 * Concurrency: samples are taken by one timer. Streams, rows of minutes and counts end with the server's stages.
 */
export { StatsModule } from './stats.module';

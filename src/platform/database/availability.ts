import { Injectable } from '@nestjs/common';
import { unavailable } from '../../common/errors';
import type { Log } from '../logging';
import { type DatabaseLevels, Metrics, Stat } from '../metrics';
import type { DatabaseConnection } from './connection';
import { codeOf, databaseUnavailable, type FailureReason, isOutOfConnections, isStorage, READ_ONLY } from './errors';
import { GuardedClient, type PoolLevels } from './pool';

/** The least that a probe, or the lock's heartbeat, may take. */
export const LEAST_DOUBT_MS = 1000;

/**
 * Milliseconds after which a trivial question makes the database doubtful, or away: a quarter of a call's deadline, so that
 * a longer deadline, on a machine that is slow or busy, is not cut short by the judgement that all is lost.
 */
export function doubtMs(deadlineMs: number): number {
  return Math.max(LEAST_DOUBT_MS, deadlineMs / 4);
}

const PROBE_INTERVAL_MS = 250;
/** While the disk is full: how often, and how long at most, a probe writes. */
const SPACE_INTERVAL_MS = 1000;
const SPACE_TIMEOUT_MS = 10_000;
/**
 * Writes a temporary file of some 24 MB, which is gone with the statement: more than one segment of the WAL. A small
 * write proves nothing on a full disk, for it may find room in pages that are there.
 */
const NEEDS_SPACE = `SET work_mem = '64kB';
  SELECT count(*) FROM unnest(array_fill(repeat('x', 8000), ARRAY[3000]))`;

/**
 * True on a standby, and where the database or the role is set to read-only. A load balancer, or a name, may lead to a
 * former primary for a while; what it has is old, and it takes no writes.
 */
export const IS_READ_ONLY = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only`;

/** What a probe has found out. `code` says why the database is away. */
type Verdict =
  { readonly state: 'up' | 'spacious' } | { readonly state: 'away'; readonly code: string; readonly isFull: boolean };

/**
 * Knows whether the database answers and is a primary, and whether its disk takes writes. A failed call asks for a probe on
 * a fresh connection; only a failed probe, or one that finds a server that takes no writes, makes the database "away". While it is away calls fail at once instead of waiting for
 * their deadline, and probes go on until one succeeds. A call that finds the disk full makes it "full": calls go on
 * (reads succeed, and some writes), and probes that need space go on until one finds it. Each outage is logged once when
 * it begins and once when it ends; a database that goes away because of its full disk is one outage.
 */
export class Availability {
  private awaySince: number | undefined;
  private fullSince: number | undefined;
  private isAwayTold = false;
  private wasReadOnly = false;
  private onRenew: () => void = () => undefined;
  private isReplicated = true;
  private doubted = false;
  private asking = false;
  private stopped = false;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param isDiskFull asked when the database is away, where this machine has its disk
   * @param probeMs a probe that takes longer has failed
   */
  constructor(
    private readonly connection: DatabaseConnection,
    private readonly log: Log,
    private readonly isDiskFull: () => Promise<boolean> = () => Promise.resolve(false),
    private readonly probeMs = LEAST_DOUBT_MS,
  ) {}

  get up(): boolean {
    return this.awaySince === undefined;
  }

  /** The disk of the database is full. */
  get full(): boolean {
    return this.fullSince !== undefined;
  }

  /** Whether writes can be expected to succeed. */
  get writable(): boolean {
    return this.up && !this.full;
  }

  /** A call failed and it is not known yet whether the database is away. */
  get suspected(): boolean {
    return this.doubted;
  }

  /** Throws 503 while the database is away. */
  check(): void {
    if (!this.up) throw databaseUnavailable(this.full);
  }

  /** Throws 503 also while no standby has what is committed, where that is required. */
  checkSends(): void {
    this.check();
    if (!this.isReplicated)
      throw unavailable('The database has no synchronous standby right now, and no message is taken without one');
  }

  /** Whether commits wait for a standby; for a server that takes no messages while they do not. Logged when it changes. */
  setReplicated(isReplicated: boolean): void {
    if (isReplicated === this.isReplicated) return;
    this.isReplicated = isReplicated;
    if (isReplicated) this.log.info({}, 'commits wait for a standby again; messages are taken');
    else
      this.log.error(
        {},
        'synchronous_standby_names is empty, or synchronous_commit is below on: answering 503 to messages (DATABASE_REQUIRE_SYNC_STANDBY)',
      );
  }

  /** A call failed in a way that may mean that the database is away. */
  suspect(): void {
    if (this.stopped) return;
    this.doubted = true;
    // While it is away the next probe is near.
    if (!this.asking && this.up) void this.probe();
  }

  /** A call failed because the disk is full. */
  storageFull(): void {
    if (this.stopped || this.full) return;
    this.noteFull();
    if (!this.asking && this.up) void this.probe();
  }

  /** One listener: told when the database is back after it took no writes, so that former connections may lead elsewhere. */
  onPrimaryBack(listener: () => void): void {
    this.onRenew = listener;
  }

  stop(): void {
    this.stopped = true;
    this.doubted = false;
    clearTimeout(this.timer);
  }

  private async probe(): Promise<void> {
    clearTimeout(this.timer);
    this.asking = true;
    const verdict = await this.ask();
    this.asking = false;
    if (this.stopped) return;
    if (verdict.state === 'away') this.noteAway(verdict.code, verdict.isFull);
    else this.noteUp(verdict.state);
    const again = this.up ? SPACE_INTERVAL_MS : PROBE_INTERVAL_MS;
    if (!this.up || this.full) this.timer = setTimeout(() => void this.probe(), again);
  }

  private noteAway(code: string, isFull: boolean): void {
    if (isFull) this.noteFull();
    this.awaySince ??= performance.now();
    this.wasReadOnly ||= code === READ_ONLY;
    if (this.full || this.isAwayTold) return;
    this.isAwayTold = true;
    const what = code === READ_ONLY ? 'takes no writes (a standby, or a former primary)' : 'is away';
    this.log.error({ code }, `database ${what}; answering 503 until it is back`);
  }

  private noteUp(state: 'up' | 'spacious'): void {
    this.doubted = false;
    if (this.wasReadOnly) this.onRenew();
    this.wasReadOnly = false;
    if (this.isAwayTold) this.log.info({ outage_ms: since(this.awaySince) }, 'database is back');
    this.awaySince = undefined;
    this.isAwayTold = false;
    if (state !== 'spacious' || !this.full) return;
    this.log.info({ outage_ms: since(this.fullSince) }, 'database takes writes again');
    this.fullSince = undefined;
  }

  private noteFull(): void {
    if (this.full) return;
    this.fullSince = performance.now();
    this.log.error({}, 'the disk of the database is full; answering 503 to what it cannot store until there is room');
  }

  private async ask(): Promise<Verdict> {
    let client: GuardedClient | undefined;
    const { full } = this;
    try {
      client = await GuardedClient.open(this.connection, {
        applicationName: 'chatapi probe',
        timeoutMs: this.probeMs,
      });
      const [found] = await client.query<{ read_only: boolean }>(IS_READ_ONLY);
      if (found?.read_only === true) return { state: 'away', code: READ_ONLY, isFull: false };
      if (!full) return { state: 'up' };
      await client.query(NEEDS_SPACE, [], SPACE_TIMEOUT_MS);
      return { state: 'spacious' };
    } catch (error) {
      // Too many connections: the server answers, and those that are open go on working.
      if (isOutOfConnections(error)) return { state: 'up' };
      if (client !== undefined && isStorage(error)) return { state: 'up' };
      const isFull = isStorage(error) || (await this.isDiskFull().catch(() => false));
      return { state: 'away', code: codeOf(error) ?? 'unknown', isFull };
    } finally {
      void client?.close();
    }
  }
}

function since(from: number | undefined): number {
  return Math.round(performance.now() - (from ?? performance.now()));
}

/** Tells the metrics, which are made long after the database is open, why calls failed, and of failovers. */
export class Failures {
  private listener: (reason: FailureReason) => void = () => undefined;
  private onTakeover: (outcome: Takeover) => void = () => undefined;

  note(reason: FailureReason): void {
    this.listener(reason);
  }

  /** Another PostgreSQL has taken over. */
  noteTakeover(outcome: Takeover): void {
    this.onTakeover(outcome);
  }

  /** One listener; what happened before it is not told. */
  listen(listener: (reason: FailureReason) => void, onTakeover: (outcome: Takeover) => void): void {
    this.listener = listener;
    this.onTakeover = onTakeover;
  }
}

/** Whether a PostgreSQL that took over was shown to have everything that was acknowledged. */
type Takeover = 'complete' | 'lost';

/** How much of the pool is in use. */
export class PoolUse {
  constructor(readonly levels: () => PoolLevels) {}
}

/** Counts the failures of database calls; says how the database is. */
@Injectable()
export class DatabaseMetrics {
  constructor(
    failures: Failures,
    metrics: Metrics,
    private readonly availability: Availability,
    private readonly pool: PoolUse,
  ) {
    const counter = metrics.counter('chatapi_database_failures_total');
    const takeovers = metrics.counter('chatapi_database_timeline_changes_total');
    failures.listen(
      (reason) => counter.labels({ reason }).inc(),
      (outcome) => takeovers.labels({ outcome }).inc(),
    );
  }

  @Stat('database')
  levels(): DatabaseLevels {
    return { isUp: this.availability.up, ...this.pool.levels() };
  }
}

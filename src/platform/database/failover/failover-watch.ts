import { randomUUID } from 'node:crypto';
import { every, type Interval } from '../../lifecycle';
import { describeError, type Log } from '../../logging';
import type { Availability } from '../availability';
import type { DatabaseConnection } from '../connection';
import { type Epoch, raiseEpoch } from '../epoch';
import { DatabaseRefusal, isConnectionLoss, isOutOfConnections, isServerError } from '../errors';
import { GuardedClient, TYPES } from '../pool';
import { quote, type RoleNames } from '../roles';
import type { Sql } from '../runner';
import type { AcknowledgedChanges } from './acknowledged';
import {
  type Ask,
  type DatabaseFacts,
  type DatabaseServer,
  isBehind,
  isSameServer,
  isSameTimeline,
  readFacts,
  refuseAsynchronous,
  standby,
  unfit,
} from './database-server';

const LOOK_MS = 1000;
/** Then the watch logs in again: its session may be one of a server that DATABASE_URL does not lead to any more. */
const SESSION_MS = 10_000;

export interface FailoverOptions {
  readonly connection: DatabaseConnection;
  readonly roles: RoleNames;
  readonly log: Log;
  readonly availability: Availability;
  /** For a log-in and for each statement, in ms. */
  readonly timeoutMs: number;
  /** DATABASE_REQUIRE_SYNC_STANDBY. */
  readonly requiresStandby: boolean;
}

/** What the watch acts on. */
export interface WatchedServer {
  readonly epoch: Epoch;
  /** Ends all sessions of the server before, at once. */
  readonly leave: () => void;
  /** Another server has taken over; whether that was shown to have everything. */
  readonly onTakeover: (outcome: 'complete' | 'lost') => void;
}

type Verdict = 'complete' | 'lost' | 'in doubt' | 'another system';

const TOLD: Readonly<Record<Verdict, string>> = {
  complete: 'has everything that was acknowledged',
  lost: 'lacks messages or changes that were acknowledged',
  'in doubt': 'may lack changes that were acknowledged',
  'another system': 'is no copy of the one before',
};

/**
 * Notices that DATABASE_URL leads to another PostgreSQL than before, finds out whether that has everything that was
 * acknowledged, and raises the epoch where it has not, or where that is not known: clients would hold positions beyond
 * the log, or of other messages than the log has by then (docs/adr/0039-failover.md).
 *
 * Invariants
 * - No statement of the pool runs on a server that was not judged. Each new connection says which server it has reached
 *   (`admit`); where that is another one than the one in force, the connections to the former are cut, and the new ones
 *   wait until it was judged. So between the last acknowledgement there and the look-up here this process writes nothing,
 *   and what it finds is what was brought over.
 * - A server is judged by rows, not by places in the WAL: it is complete if it has what was acknowledged last
 *   (acknowledged.ts), the epoch in force, and the same system identifier. A restart of the same one is judged, too, for its
 *   disk may have been put back; only doubt is none there. Where commits waited for a standby (`isSynchronous`), doubt
 *   is none either, but a row that is missing is.
 * - The epoch rises by compare and set, and above every epoch that this process has told anybody, also where that one was
 *   lost with the rest. Whoever listens to `Epoch` has dropped what it holds before the first statement runs on the new server.
 * - Nobody goes back: a server of an earlier timeline is refused until this process is started again.
 * - A start is a takeover, too, of what the process before it had acknowledged: the database keeps which server that was,
 *   and on a later timeline nothing can be looked up, so it is in doubt.
 *
 * Concurrency: one judgement at a time, for all who wait; where it fails all of them fail, and the next connection tries
 * again. It runs on a session of its own, for the pool's wait. With several servers of ours each judges what it has
 * acknowledged itself, and reads every second the epoch that others have raised; those that cannot judge any more are
 * silent (`AcknowledgedChanges.isAnotherSilent`), and leave doubt.
 */
export class FailoverWatch {
  readonly acknowledged: AcknowledgedChanges;
  private judging: Promise<void> | undefined;
  private watched: WatchedServer | undefined;
  private timer: Interval | undefined;
  private isStopped = false;
  private isBehindTold = false;

  private constructor(
    private readonly options: FailoverOptions & { readonly watchId: string },
    private session: Session | undefined,
    private current: DatabaseServer,
    private isSynchronous: boolean,
    /** Until `begin`. */
    private readonly firstEpoch: number,
    acknowledged: AcknowledgedChanges,
  ) {
    this.acknowledged = acknowledged;
  }

  /**
   * Judges the database that a start finds. undefined where it does not say which server it is: then nothing is watched,
   * which is logged. Throws `DatabaseRefusal` where no standby is waited for and one is required.
   */
  static async open(options: FailoverOptions, acknowledged: AcknowledgedChanges): Promise<FailoverWatch | undefined> {
    const { log, requiresStandby } = options;
    const session = await Session.open(options);
    try {
      const facts = await readFacts(session.ask).catch((error: unknown) => unreadable(error, options));
      if (facts === undefined) {
        await session.close();
        return undefined;
      }
      const { server, isSynchronous } = facts;
      if (server === undefined)
        throw new DatabaseRefusal('This PostgreSQL is a standby: let DATABASE_URL name the primary');
      if (requiresStandby && !isSynchronous) refuseAsynchronous();
      const epoch = await judgeStart(session.ask, server, facts, log);
      acknowledged.isWatched = true;
      const begunAt = performance.now();
      const watchId = randomUUID();
      acknowledged.marked(begunAt, await storeMark(session.ask, watchId, server, isSynchronous));
      return new FailoverWatch({ ...options, watchId }, session, server, isSynchronous, epoch, acknowledged);
    } catch (error) {
      session.destroy();
      throw error;
    }
  }

  /** Begins to look every second. */
  begin(watched: WatchedServer): void {
    this.watched = watched;
    watched.epoch.timeline = this.current.timeline;
    watched.epoch.follow(this.firstEpoch);
    this.timer = every(LOOK_MS, 'failover watch', () => this.look(), this.options.log);
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.session?.close();
    await this.timer?.stop();
  }

  /**
   * Resolves when statements may run on this server. Rejects where they may not, or where that could not be found out.
   * @param seen undefined: a standby
   */
  readonly admit = async (seen: DatabaseServer | undefined): Promise<void> => {
    await this.judging;
    this.refuseUnfit(seen);
    if (isSameServer(seen, this.current)) return;
    await this.judgeOnce();
    if (!isSameServer(seen, this.current)) throw unfit('the database has moved on to another server', '57P01');
  };

  private refuseUnfit(seen: DatabaseServer | undefined): asserts seen is DatabaseServer {
    if (seen === undefined) throw standby();
    if (!isBehind(seen, this.current)) return;
    if (!this.isBehindTold) {
      this.isBehindTold = true;
      this.options.log.error(
        { timeline: seen.timeline, in_force: this.current.timeline },
        'DATABASE_URL leads to a PostgreSQL in whose place another one was promoted: it is not used. To go back to it, stop this server and run npm run epoch -- bump',
      );
    }
    throw unfit('another server was promoted in the place of this one', '57P01');
  }

  private judgeOnce(): Promise<void> {
    return (this.judging ??= this.judge()
      .catch((error: unknown) => {
        this.drop();
        throw error;
      })
      .finally(() => (this.judging = undefined)));
  }

  private async judge(): Promise<void> {
    const { watched } = this;
    if (watched === undefined || this.isStopped) throw unfit('the failover watch does not run', '57P01');
    watched.leave();
    // What had arrived of answers of the former server is taken in first; and who was just being let in there goes, too.
    await new Promise((resolve) => setImmediate(resolve));
    watched.leave();
    const { ask } = await this.renew();
    const facts = await readFacts(ask);
    const { server } = facts;
    this.refuseUnfit(server);
    if (isSameServer(server, this.current)) return;
    const verdict = await this.verdictOn(ask, server, facts);
    const known = watched.epoch.known;
    const epoch = verdict === 'complete' ? facts.epoch : await raiseAbove(ask, known);
    // Covers what was found, or given up.
    const begunAt = performance.now();
    this.acknowledged.marked(begunAt, await storeMark(ask, this.options.watchId, server, facts.isSynchronous));
    this.tell(server, verdict, { from: known, to: epoch });
    const isTakeover = !isSameTimeline(server, this.current);
    this.current = server;
    this.isBehindTold = false;
    this.noteSynchronous(facts.isSynchronous);
    watched.epoch.timeline = server.timeline;
    watched.epoch.follow(epoch);
    if (isTakeover) watched.onTakeover(verdict === 'complete' ? 'complete' : 'lost');
  }

  private async verdictOn(ask: Ask, server: DatabaseServer, { epoch, stored }: DatabaseFacts): Promise<Verdict> {
    if (server.system !== this.current.system) return 'another system';
    if (epoch < (this.watched?.epoch.known ?? 0)) return 'lost';
    const { mark, messages, isInDoubt } = this.acknowledged.last;
    if (mark !== undefined && stored?.marks[this.options.watchId]?.mark !== mark) return 'lost';
    if ((await this.countMissing(ask, messages)) > 0) return 'lost';
    if (isSameTimeline(server, this.current) || this.isSynchronous) return 'complete';
    return isInDoubt || (await this.acknowledged.isAnotherSilent()) ? 'in doubt' : 'complete';
  }

  private async countMissing(ask: Ask, messages: Parameters<AcknowledgedChanges['countMissing']>[1]): Promise<number> {
    await ask(`SET ROLE ${quote(this.options.roles.system)}`);
    const missing = await this.acknowledged.countMissing(sqlOf(ask), messages);
    await ask('RESET ROLE');
    return missing;
  }

  private tell(server: DatabaseServer, verdict: Verdict, { from, to }: { from: number; to: number }): void {
    const { log } = this.options;
    const timelines = { timeline: server.timeline, before: this.current.timeline };
    if (verdict !== 'complete')
      log.error(
        { ...timelines, from, to },
        `the PostgreSQL that DATABASE_URL leads to now ${TOLD[verdict]}: the epoch was raised, clients read their rooms anew`,
      );
    else if (!isSameTimeline(server, this.current))
      log.warn(timelines, `another PostgreSQL was promoted; it ${TOLD[verdict]}`);
    else log.debug(timelines, 'PostgreSQL was started again');
  }

  private async look(): Promise<void> {
    let session: Session | undefined;
    try {
      session = await this.fresh();
      const facts = await readFacts(session.ask);
      // A judgement has been there meanwhile.
      if (session !== this.session) return;
      this.refuseUnfit(facts.server);
      if (!isSameServer(facts.server, this.current)) {
        await this.judgeOnce();
        return;
      }
      // Another server of ours has raised it.
      if (facts.epoch > (this.watched?.epoch.known ?? 0)) this.watched?.epoch.follow(facts.epoch);
      await this.keepMark(session, facts);
    } catch (error) {
      if (this.isStopped) return;
      if (this.session === session) this.drop();
      this.options.log.debug({ error: describeError(error) }, 'the failover watch looks again in a second');
      this.options.availability.suspect();
    }
  }

  /** From a mark on, what lies before it is known, and known to be on a standby where commits wait for one. */
  private async keepMark(session: Session, { isSynchronous }: DatabaseFacts): Promise<void> {
    if (isSynchronous === this.isSynchronous && !this.acknowledged.wantsMark) return;
    // What is not true any more counts at once.
    if (!isSynchronous) this.noteSynchronous(false);
    const begunAt = performance.now();
    const mark = await storeMark(session.ask, this.options.watchId, this.current, isSynchronous);
    if (session !== this.session) return;
    this.acknowledged.marked(begunAt, mark);
    this.noteSynchronous(isSynchronous);
  }

  private noteSynchronous(isSynchronous: boolean): void {
    this.isSynchronous = isSynchronous;
    if (this.options.requiresStandby) this.options.availability.setReplicated(isSynchronous);
  }

  private async fresh(): Promise<Session> {
    const { session } = this;
    if (session === undefined || session.isOld) {
      return this.renew().catch((error: unknown) => {
        // No other one is to be had: this one goes on.
        if (session === undefined || !isOutOfConnections(error)) throw error;
        return session;
      });
    }
    return session;
  }

  private async renew(): Promise<Session> {
    const session = await Session.open(this.options);
    if (this.isStopped) {
      session.destroy();
      throw unfit('the failover watch has ended', '57P01');
    }
    this.drop();
    this.session = session;
    return session;
  }

  private drop(): void {
    this.session?.destroy();
    this.session = undefined;
  }
}

/** The login role's own session. */
class Session {
  private readonly openedAt = performance.now();

  private constructor(private readonly client: GuardedClient) {}

  static async open({ connection, timeoutMs }: FailoverOptions): Promise<Session> {
    return new Session(
      await GuardedClient.open(connection, { applicationName: 'chatapi failover watch', timeoutMs, types: TYPES }),
    );
  }

  get isOld(): boolean {
    return performance.now() - this.openedAt > SESSION_MS;
  }

  readonly ask: Ask = (text, values) => this.client.query(text, values);

  close(): Promise<void> {
    return this.client.close();
  }

  destroy(): void {
    this.client.destroy();
  }
}

/** Some services that speak PostgreSQL's protocol have no WAL to tell of. */
function unreadable(error: unknown, { log, requiresStandby }: FailoverOptions): undefined {
  if (!isServerError(error) || isConnectionLoss(error)) throw error;
  if (requiresStandby) refuseAsynchronous();
  log.warn(
    { error: describeError(error) },
    'the database does not say which server it is: a failover that loses messages will not be noticed',
  );
}

/**
 * Nobody knows what the process before this one acknowledged last; that of another server had to be copied. The epoch in
 * force then.
 */
async function judgeStart(
  ask: Ask,
  server: DatabaseServer,
  { epoch: from, stored }: DatabaseFacts,
  log: Log,
): Promise<number> {
  if (stored === null || isSameTimeline(server, stored)) return from;
  const timelines = { timeline: server.timeline, before: stored.timeline };
  if (stored.isSynchronous && server.system === stored.system) {
    log.info(timelines, 'another PostgreSQL than at the last start; commits had waited for a standby');
    return from;
  }
  const to = await raiseAbove(ask, from);
  log.warn(
    { ...timelines, from, to },
    'another PostgreSQL than at the last start: the epoch was raised, clients read their rooms anew',
  );
  return to;
}

/** $1 the watch, $2 its mark, $3 to $5 what it is on. Of the marks of other watches the newest 31 are kept. */
const STORE_MARK = `UPDATE instance SET database_server = jsonb_build_object(
  'system', $3::text, 'timeline', $4::integer, 'isSynchronous', $5::boolean,
  'marks', jsonb_build_object($1::text, jsonb_build_object('mark', $2::text, 'at', clock_timestamp())) || (
    SELECT coalesce(jsonb_object_agg(other.key, other.value), '{}') FROM (
      SELECT key, value FROM jsonb_each(coalesce(database_server -> 'marks', '{}')) WHERE key <> $1
      ORDER BY value ->> 'at' DESC LIMIT 31) AS other))`;

/** Each watch has a mark of its own: that of another one says nothing of what this one has acknowledged. */
async function storeMark(
  ask: Ask,
  watchId: string,
  { system, timeline }: DatabaseServer,
  isSynchronous: boolean,
): Promise<string> {
  const mark = randomUUID();
  await ask(STORE_MARK, [watchId, mark, system, timeline, isSynchronous]);
  return mark;
}

function sqlOf(ask: Ask): Sql {
  return { query: async (text, values) => (await ask(text, values)) as never };
}

/** Raises the epoch above one that was told, unless that was done; the one in force. */
async function raiseAbove(ask: Ask, told: number): Promise<number> {
  for (let seen = told; ;) {
    const epoch = await raiseEpoch.callIn(sqlOf(ask), { p_seen: seen });
    if (epoch > told) return epoch;
    seen = epoch;
  }
}

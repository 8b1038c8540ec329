/** The order in which a server stops; a stage begins when the one before has ended. */
export enum StopStage {
  /** /ready answers 503, so that load balancers look elsewhere. */
  readiness = 1,
  /** New requests and upgrades are refused. */
  refuse,
  /** Sockets hear `server.shutdown` and are closed, spread over time. */
  sockets,
  /** HTTP requests in flight finish. */
  requests,
  /** Workers finish or give their leases back; timers end. */
  workers,
  /** What is on its way into the log is written; what goes round between nodes ends. */
  log,
  /** The connections to the database are closed. */
  pool,
  /** The embedded PostgreSQL is shut down. */
  postgres,
}

/** All stages, first to last. */
export const STOP_STAGES: readonly StopStage[] = [
  StopStage.readiness,
  StopStage.refuse,
  StopStage.sockets,
  StopStage.requests,
  StopStage.workers,
  StopStage.log,
  StopStage.pool,
  StopStage.postgres,
];

/** How long a stage may take. */
interface Budget {
  /** It is over after this share of the grace, counted from the beginning of the stop: what one leaves is the next one's. */
  readonly share: number;
  /** Milliseconds that it has in any case, also where those before it have used up the grace. */
  readonly leastMs: number;
}

/** A worker that is cut off stores what it has, and PostgreSQL writes a checkpoint: that cannot be hurried to nothing. */
export const STAGE_BUDGETS: Readonly<Record<StopStage, Budget>> = {
  [StopStage.readiness]: { share: 0.05, leastMs: 250 },
  [StopStage.refuse]: { share: 0.1, leastMs: 250 },
  [StopStage.sockets]: { share: 0.4, leastMs: 500 },
  [StopStage.requests]: { share: 0.6, leastMs: 0 },
  [StopStage.workers]: { share: 0.75, leastMs: 1500 },
  [StopStage.log]: { share: 0.8, leastMs: 500 },
  [StopStage.pool]: { share: 0.85, leastMs: 500 },
  [StopStage.postgres]: { share: 1, leastMs: 1500 },
};

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

import type { RootMode } from './launcher';

export interface EmbeddedPostgresLog {
  debug?(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface EmbeddedPostgresOptions {
  /** DATA_DIR; the cluster is in <dataDir>/postgres */
  readonly dataDir: string;
  /** progress lines for a person, e.g. 'Creating the database (first start) …' */
  readonly onProgress?: (line: string) => void;
  /** structured log; no secrets */
  readonly log?: EmbeddedPostgresLog;
  /** extra `-c name=value` settings (tests use fsync=off; the new cluster's files are then not synced either) */
  readonly settings?: Readonly<Record<string, string>>;
  /** called when postgres died and was started again by the supervisor */
  readonly onRestart?: () => void;
  /** tests: the ways to run postgres for root that are tried, in order */
  readonly rootModes?: readonly RootMode[];
  readonly timeouts?: {
    /** for postgres' fast shutdown before it is forced (15 s) */
    readonly stopMs?: number;
    /** for an answer from a postmaster that somebody left behind (20 s) */
    readonly orphanMs?: number;
  };
}

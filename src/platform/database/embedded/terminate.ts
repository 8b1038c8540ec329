import { EmbeddedPostgresError, errorCode } from './errors';
import { isPostmaster } from './postmaster-file';
import { pollUntil } from './wait';

export interface TerminationBounds {
  /** for the fast shutdown, which writes a checkpoint */
  readonly fastMs: number;
  /** for the immediate shutdown; the next start then recovers from the WAL */
  readonly immediateMs: number;
}

export const DEFAULT_BOUNDS: TerminationBounds = { fastMs: 15_000, immediateMs: 3_000 };

/** Ends a postmaster: SIGINT (fast), then SIGQUIT (immediate), then SIGKILL. No acknowledged commit is lost by any. */
export async function terminatePostmaster(
  pid: number,
  cluster: string,
  bounds: TerminationBounds = DEFAULT_BOUNDS,
): Promise<void> {
  const steps: readonly (readonly [NodeJS.Signals, number])[] = [
    ['SIGINT', bounds.fastMs],
    ['SIGQUIT', bounds.immediateMs],
    ['SIGKILL', 5_000],
  ];
  for (const [signal, forMs] of steps) {
    if (await endsAfter(pid, cluster, signal, forMs)) return;
  }
  throw new EmbeddedPostgresError(`PostgreSQL (pid ${pid}) on ${cluster} cannot be stopped, not even by SIGKILL`);
}

async function endsAfter(pid: number, cluster: string, signal: NodeJS.Signals, forMs: number): Promise<boolean> {
  let last = -Infinity;
  const gone = async (): Promise<true | undefined> => {
    if (!(await isPostmaster(pid, cluster))) return true;
    // Again every second: a signal sent before postgres has installed its handlers is lost.
    if (performance.now() - last >= 1_000) {
      send(pid, signal);
      last = performance.now();
    }
    return undefined;
  };
  return (await pollUntil(gone, { everyMs: 10, forMs })) ?? false;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return;
    throw new EmbeddedPostgresError(
      `PostgreSQL (pid ${pid}) runs as another user and cannot be stopped from here; stop it or set DATA_DIR`,
      { cause: error },
    );
  }
}

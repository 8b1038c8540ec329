import { createClient, ErrorReply } from '@redis/client';

/** Whatever a connection is made for must be there, and confirmed, within so much. */
export const REDIS_CONNECT_MS = 5000;
/** To reach the server; less than that, so that no socket is given up on half-way. */
const REACH_MS = 4000;
/** Between two attempts, at random up to this, which doubles with each. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** A connection that lived for so long was a good one: the pauses begin anew. */
const GOOD_MS = 5000;
/** Commands that wait for their answers; one more is refused. */
const MOST_COMMANDS = 10_000;

export interface ClientOptions {
  /** `redis://` or `rediss://`, with user, password and database where there are any. */
  readonly url: string;
  /** As which Redis lists the connection. */
  readonly clientName: string;
}

/** A client of the library, which does nothing by itself once its connection breaks. */
function clientOf({ url, clientName }: ClientOptions) {
  return createClient({
    url,
    name: clientName,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    commandsQueueMaxLength: MOST_COMMANDS,
    socket: { reconnectStrategy: false, connectTimeout: REACH_MS },
  });
}

export type Client = ReturnType<typeof clientOf>;

/** One connection to one Redis, from its attempt to its end. */
export class OwnClient {
  readonly client: Client;
  /** It has a socket. Before that the library forgets to close it when it is destroyed. */
  private hasSocket = false;

  /**
   * @param isWanted whether its attempt still counts when it has a socket
   * @param failed called with a reason for the log; more than once
   */
  constructor(options: ClientOptions, isWanted: () => boolean, failed: (reason: string) => void) {
    this.client = clientOf(options);
    this.client.on('connect', () => {
      this.hasSocket = true;
      if (!isWanted()) this.destroy();
    });
    this.client.on('error', (error: unknown) => failed(redisReason(error)));
    this.client.on('end', () => failed('closed'));
  }

  destroy(): void {
    if (!this.hasSocket) return;
    try {
      this.client.destroy();
    } catch {
      // It was closed already.
    }
  }
}

/** How long to wait before the next attempt. */
export class Backoff {
  private failures = 0;
  private liveSince: number | undefined;

  /** An attempt has succeeded. */
  connected(): void {
    this.liveSince = performance.now();
  }

  /** An attempt has failed, or its connection has broken. @returns ms */
  failed(): number {
    if (this.liveSince !== undefined && performance.now() - this.liveSince > GOOD_MS) this.failures = 0;
    this.liveSince = undefined;
    return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures++);
  }
}

/**
 * Without addresses and passwords, which messages of the library may hold: the system's code, or the word with which Redis
 * begins a refusal (WRONGPASS, NOAUTH, NOPERM, LOADING).
 */
export function redisReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof ErrorReply) return /^[A-Z]+(?= |$)/.exec(error.message)?.[0] ?? 'refused';
  return error.constructor.name;
}

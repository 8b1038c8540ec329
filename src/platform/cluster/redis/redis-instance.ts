import { createClient, ErrorReply } from '@redis/client';

/** Both connections must be there, and the subscription confirmed, within so much. */
const CONNECT_MS = 5000;
/** To reach the server; less than that, so that no socket is given up on half-way. */
const REACH_MS = 4000;
/** Between two attempts, at random up to this, which doubles with each. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;
/** A connection that lived for so long was a good one: the pauses begin anew. */
const GOOD_MS = 5000;
/** For what was published last, when it is closed. */
const LAST_MS = 300;
/** Commands that wait for their answers; beyond it publications are refused. */
const MOST_COMMANDS = 10_000;

/** A connection of the library, which does nothing by itself once it breaks. */
function connectionOf({ url, clientName }: Pick<InstanceOptions, 'url' | 'clientName'>) {
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

type Client = ReturnType<typeof connectionOf>;

interface OwnClient {
  readonly client: Client;
  /** It has a socket. Before that the library forgets to close it when it is destroyed. */
  hasSocket: boolean;
}

export interface InstanceOptions {
  /** `redis://` or `rediss://`, with user, password and database where there are any. */
  readonly url: string;
  /** As which Redis lists the connections. */
  readonly clientName: string;
  readonly channel: string;
  /** Publications that Redis has not confirmed, in bytes: beyond it they are refused. */
  readonly mostQueuedBytes: number;
}

/** Told of what becomes of the connections; none of these may throw. */
export interface InstanceListener {
  /** The subscription is confirmed: whatever is published from now on comes. */
  live(): void;
  /** Nothing comes any more, and what was published last may not have got there. @param reason for the log */
  down(reason: string): void;
  message(bytes: Buffer): void;
}

/**
 * One Redis, as this node is connected to it: a connection that publishes and one that is subscribed to one channel.
 *
 * The two live and die together, and each attempt makes new ones: nothing rests on what the client library does about
 * connections that broke, commands that waited meanwhile, or subscriptions that it restores (ADR 38). So `live` always
 * means a subscription that was asked for and confirmed on these very connections. Whether they carry anything is for the
 * caller to find out, who calls `restart` where they do not: a server that hangs breaks no connection.
 */
export class RedisInstance {
  private publisher: Client | undefined;
  private clients: readonly OwnClient[] = [];
  /** Which attempt counts: what an earlier one reports is of no interest. */
  private attempt = 0;
  private failures = 0;
  private liveSince = -Infinity;
  private timer: NodeJS.Timeout | undefined;
  private queuedBytes = 0;
  private isClosed = false;
  /** Nothing waits for Redis' confirmation any more. */
  private emptied: () => void = () => undefined;

  constructor(
    private readonly options: InstanceOptions,
    private readonly listener: InstanceListener,
  ) {}

  get isLive(): boolean {
    return this.publisher !== undefined;
  }

  connect(): void {
    void this.attemptOnce(++this.attempt);
  }

  /** Neither blocks nor throws; false where it is not sent. @param failed called where it was sent and failed */
  publish(bytes: Buffer, failed: () => void): boolean {
    const { publisher } = this;
    if (publisher === undefined || this.queuedBytes + bytes.length > this.options.mostQueuedBytes) return false;
    const { length } = bytes;
    this.queuedBytes += length;
    publisher.publish(this.options.channel, bytes).then(
      () => this.settle(length),
      () => {
        this.settle(length);
        failed();
      },
    );
    return true;
  }

  /** Gives the connections up and makes new ones. */
  restart(reason: string): void {
    this.fail(this.attempt, reason);
  }

  /** Resolves when Redis has taken what was published, at the latest after a moment. */
  async close(): Promise<void> {
    this.isClosed = true;
    let timer: NodeJS.Timeout | undefined;
    if (this.queuedBytes > 0)
      await new Promise<void>((resolve) => {
        this.emptied = resolve;
        timer = setTimeout(resolve, LAST_MS);
      });
    clearTimeout(timer);
    this.attempt++;
    this.discard();
  }

  private settle(bytes: number): void {
    this.queuedBytes -= bytes;
    if (this.queuedBytes === 0) this.emptied();
  }

  private async attemptOnce(attempt: number): Promise<void> {
    const [publisher, subscriber] = [this.client(attempt), this.client(attempt)];
    this.clients = [publisher, subscriber];
    this.timer = setTimeout(() => this.fail(attempt, 'no answer'), CONNECT_MS);
    try {
      await Promise.all([publisher.client.connect(), subscriber.client.connect()]);
      const hear = (bytes: Buffer): void => this.hear(attempt, bytes);
      await subscriber.client.subscribe<true>(this.options.channel, hear, true);
    } catch (error) {
      this.fail(attempt, reasonOf(error));
      return;
    }
    if (attempt !== this.attempt) return;
    clearTimeout(this.timer);
    this.publisher = publisher.client;
    this.liveSince = performance.now();
    this.listener.live();
  }

  private client(attempt: number): OwnClient {
    const own: OwnClient = { client: connectionOf(this.options), hasSocket: false };
    own.client.on('connect', () => {
      own.hasSocket = true;
      if (attempt !== this.attempt) destroy(own);
    });
    own.client.on('error', (error: unknown) => this.fail(attempt, reasonOf(error)));
    own.client.on('end', () => this.fail(attempt, 'closed'));
    return own;
  }

  private hear(attempt: number, bytes: Buffer): void {
    if (attempt === this.attempt) this.listener.message(bytes);
  }

  private fail(attempt: number, reason: string): void {
    if (this.isClosed || attempt !== this.attempt) return;
    this.attempt++;
    if (this.isLive && performance.now() - this.liveSince > GOOD_MS) this.failures = 0;
    this.discard();
    const most = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures++);
    this.timer = setTimeout(() => this.connect(), Math.random() * most);
    this.listener.down(reason);
  }

  private discard(): void {
    clearTimeout(this.timer);
    this.publisher = undefined;
    for (const own of this.clients) destroy(own);
    this.clients = [];
  }
}

function destroy({ client, hasSocket }: OwnClient): void {
  if (!hasSocket) return;
  try {
    client.destroy();
  } catch {
    // It was closed already.
  }
}

/**
 * Without addresses and passwords, which messages of the library may hold: the system's code, or the word with which Redis
 * begins a refusal (WRONGPASS, NOAUTH, NOPERM, LOADING).
 */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof ErrorReply) return /^[A-Z]+(?= )/.exec(error.message)?.[0] ?? 'refused';
  return error.constructor.name;
}

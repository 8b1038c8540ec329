import { Backoff, type Client, type ClientOptions, REDIS_CONNECT_MS, OwnClient, redisReason } from './redis-client';

/** For what was published last, when it is closed. */
const LAST_MS = 300;

export interface InstanceOptions extends ClientOptions {
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
  private readonly backoff = new Backoff();
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
    const [publisher, subscriber] = [this.ownClient(attempt), this.ownClient(attempt)];
    this.clients = [publisher, subscriber];
    this.timer = setTimeout(() => this.fail(attempt, 'no answer'), REDIS_CONNECT_MS);
    try {
      await Promise.all([publisher.client.connect(), subscriber.client.connect()]);
      const hear = (bytes: Buffer): void => this.hear(attempt, bytes);
      await subscriber.client.subscribe<true>(this.options.channel, hear, true);
    } catch (error) {
      this.fail(attempt, redisReason(error));
      return;
    }
    if (attempt !== this.attempt) return;
    clearTimeout(this.timer);
    this.publisher = publisher.client;
    this.backoff.connected();
    this.listener.live();
  }

  private ownClient(attempt: number): OwnClient {
    const isWanted = (): boolean => attempt === this.attempt;
    return new OwnClient(this.options, isWanted, (reason) => this.fail(attempt, reason));
  }

  private hear(attempt: number, bytes: Buffer): void {
    if (attempt === this.attempt) this.listener.message(bytes);
  }

  private fail(attempt: number, reason: string): void {
    if (this.isClosed || attempt !== this.attempt) return;
    this.attempt++;
    this.discard();
    this.timer = setTimeout(() => this.connect(), this.backoff.failed());
    this.listener.down(reason);
  }

  private discard(): void {
    clearTimeout(this.timer);
    this.publisher = undefined;
    for (const own of this.clients) own.destroy();
    this.clients = [];
  }
}

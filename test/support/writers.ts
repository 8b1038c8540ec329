import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './embedded/processes';
import type { Api } from './http/api';
import { errorOf } from './http/api';
import { type Ack, faultsOf, type Intent, type LogEntry } from './history';

/** Between two tries of one message: what is away would otherwise be asked thousands of times a second. */
const RETRY_MS = 20;
const NO_ANSWER = new Set(['TypeError: fetch failed', 'TypeError: terminated']);

/** An answer other than 201. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly outcome: unknown;
  readonly retryAfter: string | null;
}

export interface WriterTarget {
  /** A client per user, by user id. It is asked again for each try: the server's URL may change. */
  readonly as: (userId: string) => Api;
  readonly roomIds: readonly string[];
  readonly userIds: readonly string[];
}

/**
 * Users who send one message after the other, each until it is acknowledged, always with its client_message_id. They
 * note what they meant, what they were told, and what they were refused.
 */
export class Writers {
  private static readonly atWork = new Set<Writers>();
  readonly intents: Intent[] = [];
  readonly acks: Ack[] = [];
  readonly refusals: Refusal[] = [];
  /** Answers that are neither an acknowledgement nor "not now": a fault of the server. */
  readonly surprises: string[] = [];
  /** How long the slowest try took, in ms. */
  slowestMs = 0;
  private running: Promise<unknown> = Promise.resolve();
  private stopping = false;
  private giveUp = false;

  constructor(private readonly target: WriterTarget) {}

  start(): this {
    Writers.atWork.add(this);
    this.running = Promise.all(this.target.userIds.map((userId) => this.write(userId)));
    return this;
  }

  /** Resolves when so many more messages are acknowledged; a fault of the server ends the wait. */
  async progress(count: number, withinMs = 30_000): Promise<void> {
    const enough = this.acks.length + count;
    await eventually(
      `${count} more messages are acknowledged`,
      () => {
        if (this.surprises.length > 0) throw new Error(this.surprises.slice(0, 5).join('\n'));
        return this.acks.length >= enough;
      },
      withinMs,
    );
  }

  /** For afterEach: the writers of a test that has failed would go on for ever. */
  static async abandonAll(): Promise<void> {
    await Promise.all([...Writers.atWork].map((writers) => writers.abandon()));
  }

  /** Each writer brings its last message to its end. */
  async finish(): Promise<void> {
    this.stopping = true;
    await this.running;
    Writers.atWork.delete(this);
  }

  /** The writers stop trying: the server will not come back. */
  async abandon(): Promise<void> {
    this.giveUp = true;
    await this.finish();
  }

  /** Reads the rooms' whole logs and says what is wrong. */
  async faults(): Promise<string[]> {
    const reader = this.target.as(this.target.userIds[0] ?? '');
    const logs = new Map<string, LogEntry[]>();
    for (const roomId of this.target.roomIds) logs.set(roomId, await wholeLog(reader, roomId));
    return [...this.surprises, ...faultsOf({ intents: this.intents, acks: this.acks, logs })];
  }

  private async write(userId: string): Promise<void> {
    for (let n = 0; !this.stopping; n++) {
      const roomId = this.target.roomIds[n % this.target.roomIds.length] ?? '';
      const clientMessageId = `${userId}-${n}`;
      const intent = { roomId, senderId: userId, clientMessageId, content: `message ${n} of ${userId}` };
      this.intents.push(intent);
      while (!this.giveUp && !(await this.attempt(intent))) await sleep(RETRY_MS);
    }
  }

  private async attempt(intent: Intent): Promise<boolean> {
    const begun = performance.now();
    try {
      return await this.send(intent);
    } catch (error) {
      // fetch's own words for no answer, by text: its errors are not of jest's realm. Anything else breaks the contract.
      if (NO_ANSWER.has(String(error))) return false;
      this.surprises.push(String(error));
      return true;
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
    }
  }

  private async send({ roomId, senderId, clientMessageId, content }: Intent): Promise<boolean> {
    const body = { content, client_message_id: clientMessageId };
    const answer = await this.target
      .as(senderId)
      .post<{ message_id: string; seq: number; created_at: string }>(`/rooms/${roomId}/messages`, body);
    if (answer.status === 201) {
      const { seq, message_id: messageId, created_at: createdAt } = answer.body;
      this.acks.push({ clientMessageId, roomId, seq, messageId, createdAt });
      return true;
    }
    const { code, details } = errorOf(answer);
    const retryAfter = answer.headers.get('retry-after');
    this.refusals.push({ status: answer.status, code, outcome: details?.['outcome'], retryAfter });
    if (answer.status === 503) return false;
    this.surprises.push(`${clientMessageId} was answered ${answer.status} ${code}`);
    return true;
  }
}

async function wholeLog(reader: Api, roomId: string): Promise<LogEntry[]> {
  const log: LogEntry[] = [];
  for (;;) {
    const page = await reader.get<LogEntry[]>(`/rooms/${roomId}/messages?limit=100&after_seq=${log.at(-1)?.seq ?? 0}`);
    if (page.status !== 200) throw new Error(`reading the log answered ${page.status}`);
    if (page.body.length === 0) return log;
    log.push(...page.body);
  }
}

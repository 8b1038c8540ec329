import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from './embedded/processes';
import { CatchUpClient, isNoAnswer, wholeLog } from './catch-up-client';
import { type Answer, type Api, errorOf } from './http/api';
import { type Ack, historyFaults, type History, type Intent, type LogEntry } from './message-history';
import { type AcceptedBody, isReplay, post } from './messages';
import { MAX_WAIT_MS } from './timing';

/** Between two tries of one message: what is away would otherwise be asked thousands of times a second. */
const RETRY_MS = 20;
/** Each so many-th message is sent again after it was acknowledged, or given up when it is refused. */
const REPEATED = 4;
const HASTY = 5;

/** An answer other than 201. */
export interface RefusedMessage {
  readonly userId: string;
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

/** What a sender knows of its message: surely not stored, perhaps, or surely. */
type Known = 'absent' | 'perhaps' | 'stored';
/** What a try taught; a fault was noted. */
type Learned = Known | 'fault';

/**
 * Users who send one message after the other, each until it is acknowledged, always with its client_message_id; some
 * are sent once more after that, and some are given up at the first refusal. They note what they meant, what they were
 * told, and what they were refused. Beside them somebody reads.
 */
export class MessageWriters {
  private static readonly atWork = new Set<MessageWriters>();
  readonly intents: Intent[] = [];
  readonly acks: Ack[] = [];
  readonly refusals: RefusedMessage[] = [];
  /** Answers that break a promise of their own: neither an acknowledgement nor "not now", or with the wrong words. */
  readonly surprises: string[] = [];
  /** Tries whose connection ended without an answer. */
  unanswered = 0;
  /** How long the slowest try took, in ms. */
  slowestMs = 0;
  private readonly follower: CatchUpClient;
  private readonly withdrawn = new Set<string>();
  private readonly newest = new Map<string, number>();
  private running: Promise<unknown> = Promise.resolve();
  private stopping = false;
  private giveUp = false;

  /** @param restMs between two messages of a writer. Default: none, they write as fast as they are answered */
  constructor(
    private readonly target: WriterTarget,
    private readonly restMs = 0,
  ) {
    this.follower = new CatchUpClient(() => this.reader(), target.roomIds);
  }

  start(): this {
    MessageWriters.atWork.add(this);
    this.follower.start();
    this.running = Promise.all(this.target.userIds.map((userId) => this.write(userId)));
    return this;
  }

  /** Resolves when so many more messages are acknowledged; a fault of the server ends the wait. */
  progress(count: number, withinMs = MAX_WAIT_MS): Promise<void> {
    const enough = this.acks.length + count;
    return this.condition(`${count} more messages are acknowledged`, () => this.acks.length >= enough, withinMs);
  }

  /** Resolves when each writer was refused so many times from now on; a fault of the server ends the wait. */
  refused(times: number): Promise<void> {
    const isEnough = this.whenRefused(times);
    return this.condition(`every writer is refused ${times} times`, isEnough);
  }

  /** Like `refused`, or like `progress`: whichever comes first. */
  refusedOr(times: number, count: number): Promise<void> {
    const isRefused = this.whenRefused(times);
    const enough = this.acks.length + count;
    const what = `every writer is refused ${times} times, or ${count} more messages are acknowledged`;
    return this.condition(what, () => isRefused() || this.acks.length >= enough);
  }

  /** For afterEach: the writers of a test that has failed would go on for ever. */
  static async abandonAll(): Promise<void> {
    await Promise.all([...MessageWriters.atWork].map((writers) => writers.abandon()));
  }

  /** Each writer brings its last message to its end. */
  async finish(): Promise<void> {
    this.stopping = true;
    await this.running;
    await this.follower.stop();
    MessageWriters.atWork.delete(this);
  }

  /** The writers stop trying: the server will not come back. */
  async abandon(): Promise<void> {
    this.giveUp = true;
    await this.finish();
  }

  /** What happened so far, in numbers. */
  get counts(): Readonly<Record<string, number>> {
    const shown = [...this.follower.shown.values()].reduce((sum, log) => sum + log.length, 0);
    const [none, unknown] = ['none', 'unknown'].map((word) => this.refusals.filter((r) => r.outcome === word).length);
    return {
      sent: this.intents.length,
      acknowledged: this.acks.length,
      'refused, not stored': none ?? 0,
      'refused, in doubt': unknown ?? 0,
      unanswered: this.unanswered,
      withdrawn: this.withdrawn.size,
      'read meanwhile': shown,
    };
  }

  /** Reads the rooms' whole logs and says what is wrong. */
  async faults(): Promise<string[]> {
    return [...this.surprises, ...this.follower.surprises, ...historyFaults(await this.history())];
  }

  /** What was meant, told and shown, and the rooms' whole logs. */
  async history(): Promise<History> {
    const logs = new Map<string, LogEntry[]>();
    for (const roomId of this.target.roomIds) logs.set(roomId, await wholeLog(this.reader(), roomId));
    const { intents, acks, withdrawn } = this;
    return { intents, acks, withdrawn, logs, shown: this.follower.shown };
  }

  private reader(): Api {
    return this.target.as(this.target.userIds[0] ?? '');
  }

  private whenRefused(times: number): () => boolean {
    const from = this.refusals.length;
    return () => {
      const since = this.refusals.slice(from);
      return this.target.userIds.every((id) => since.filter(({ userId }) => userId === id).length >= times);
    };
  }

  private async condition(what: string, isTrue: () => boolean, withinMs = MAX_WAIT_MS): Promise<void> {
    const probe = (): boolean => {
      if (this.surprises.length > 0) throw new Error(this.surprises.slice(0, 5).join('\n'));
      return isTrue();
    };
    await eventually(what, probe, withinMs);
  }

  private async write(userId: string): Promise<void> {
    for (let n = 0; !this.stopping; n++) {
      const roomId = this.target.roomIds[n % this.target.roomIds.length] ?? '';
      const afterSeq = this.newest.get(roomId) ?? 0;
      const clientMessageId = `${userId}-${n}`;
      const content = `message ${n} of ${userId}`;
      const intent = { roomId, senderId: userId, clientMessageId, content, afterSeq };
      this.intents.push(intent);
      const isStored = await this.bring(intent, 'absent', n % HASTY === HASTY - 1);
      if (isStored && n % REPEATED === 0) await this.bring(intent, 'stored', false);
      if (this.restMs > 0) await sleep(this.restMs);
    }
  }

  /** Tries until it is acknowledged, or, in haste, refused; whether it was acknowledged. */
  private async bring(intent: Intent, known: Known, isHasty: boolean): Promise<boolean> {
    for (let now = known; ;) {
      const learned = await this.attempt(intent, now);
      if (learned === 'fault' || learned === 'stored') return learned === 'stored';
      // What was doubtful once stays so: a later refusal speaks of the later try.
      if (now === 'absent') now = learned;
      if (isHasty || this.giveUp) {
        if (now === 'absent') this.withdrawn.add(intent.clientMessageId);
        return false;
      }
      await sleep(RETRY_MS);
    }
  }

  private async attempt(intent: Intent, known: Known): Promise<Learned> {
    const begun = performance.now();
    try {
      const { roomId, senderId, content, clientMessageId } = intent;
      const answer = await post(this.target.as(senderId), roomId, { content, client_message_id: clientMessageId });
      return answer.status === 201 ? this.acknowledged(intent, answer, known) : this.refuse(intent, answer);
    } catch (error) {
      // Anything else breaks the contract.
      if (!isNoAnswer(error)) return this.fault(String(error));
      this.unanswered++;
      return 'perhaps';
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
    }
  }

  private acknowledged({ roomId, clientMessageId }: Intent, answer: Answer<AcceptedBody>, known: Known): Learned {
    const { seq, message_id: messageId, created_at: createdAt } = answer.body;
    this.acks.push({ clientMessageId, roomId, seq, messageId, createdAt });
    this.newest.set(roomId, Math.max(this.newest.get(roomId) ?? 0, seq));
    if (isReplay(answer) && known === 'absent') return this.fault(`${clientMessageId} was new and is called a repeat`);
    if (!isReplay(answer) && known === 'stored') return this.fault(`${clientMessageId} was a repeat and is called new`);
    return 'stored';
  }

  private refuse({ senderId, clientMessageId }: Intent, answer: Answer<unknown>): Learned {
    const { code, details } = errorOf(answer);
    const { status } = answer;
    const outcome = details?.['outcome'];
    const retryAfter = answer.headers.get('retry-after');
    this.refusals.push({ userId: senderId, status, code, outcome, retryAfter });
    const isNotNow = status === 503 && code === 'SERVICE_UNAVAILABLE' && Number(retryAfter) >= 1;
    if (isNotNow && outcome === 'none') return 'absent';
    if (isNotNow && outcome === 'unknown') return 'perhaps';
    return this.fault(`${clientMessageId} was answered ${status} ${code} ${String(outcome)} ${retryAfter ?? ''}`);
  }

  private fault(what: string): 'fault' {
    this.surprises.push(what);
    return 'fault';
  }
}

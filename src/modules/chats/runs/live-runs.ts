import { Injectable } from '@nestjs/common';
import { roomKey } from '../../../common/ids';
import { Bus, type Topic, type Unsubscribe } from '../../../platform/cluster';
import { OnStop, StopStage } from '../../../platform/lifecycle';
import { Gauge, Metrics } from '../../../platform/metrics';
import { RoomFeed, type RunningStream, type StreamPart } from '../../../realtime';
import type { FinishReason } from '../../models';
import type { BegunAgent } from '../chats.functions';
import type { ChatMessage, RunFailure, TokenUsage, Unwatch } from '../contract';
import { ChatBackstop, type Followed, type Missed } from '../streams/backstop';
import { ChatHub } from '../streams/chat-hub';
import type { FollowedStates } from '../streams/followed.repository';
import { RunChunksRepository } from './run-chunks.repository';
import type { StoredTokens } from './runs.repository';

/** How an answer ended. */
export interface RunOutcome {
  readonly status: 'completed' | 'cancelled' | 'interrupted' | 'failed';
  readonly finishReason: FinishReason | 'stopped' | 'error';
  readonly usage: TokenUsage | undefined;
  readonly failure?: RunFailure;
}

/** Before it began: no model was asked. */
export const STOPPED: RunOutcome = { status: 'cancelled', finishReason: 'stopped', usage: undefined };

export interface RunRef {
  readonly tenantId: string;
  readonly chatId: string;
  readonly runId: string;
}

/** An answer that this node is writing: its tokens so far, numbered from 0. */
export class LiveRun {
  /** Ends the model's stream; its reason is `cancelled` or `lost`. */
  readonly abort = new AbortController();
  /** Of the call that asked; unknown where an answer is written anew. */
  requestId: string | undefined;
  /** Of an answer in a room of people. */
  agent: BegunAgent | undefined;
  channel: string | undefined;
  model: string | undefined;
  /** How many images of the question the model was not shown. */
  imagesLeftOut = 0;
  text = '';
  readonly ends: number[] = [];
  /** It stands under budgets. */
  isBound = false;
  /** The model has begun to answer, or to think aloud. */
  begun = false;
  /** What it thinks is kept with the answer. */
  keepsReasoning = false;
  /** What is to be kept of it; empty: nothing is. */
  reasoning = '';
  /** What it has thought and was not published. */
  thought = '';
  /** What was, in UTF-16 units. */
  thoughtBefore = 0;
  /** Its end is stored and was published: a watcher that comes now reads it there. */
  isOver = false;
  /** Tokens that were published, and that were stored. */
  published = 0;
  stored = 0;

  constructor(
    readonly ref: RunRef,
    readonly fence: number,
    /** The user's message that it answers. */
    readonly replyToSeq: number,
    readonly senderId: string,
    tokens: StoredTokens = { text: '', ends: [] },
  ) {
    this.text = tokens.text;
    this.ends = [...tokens.ends];
    this.published = this.stored = tokens.ends.length;
  }

  think(text: string): void {
    this.thought += text;
    if (this.keepsReasoning) this.reasoning += text;
  }

  get count(): number {
    return this.ends.length;
  }

  add(token: string): void {
    this.text += token;
    this.ends.push(this.text.length);
  }

  /** Tokens from one index on. */
  from(index: number): { readonly text: string; readonly ends: readonly number[] } {
    const start = index === 0 ? 0 : (this.ends[index - 1] ?? 0);
    return { text: this.text.slice(start), ends: this.ends.slice(index).map((end) => end - start) };
  }
}

interface StopHint {
  readonly runIds: readonly string[];
}

const RUN_STOPS: Topic<StopHint> = 'run-stops';

/** A provider that says nothing has its answer stopped within so long also where the hint to stop is lost. */
const STOPPED_MS = 1000;

/** Stops an answer that was stopped, or is another worker's by now, and that no hint has reached. */
class LiveFollowed implements Followed {
  readonly isWholeChat = false;
  readonly everyMs = STOPPED_MS;

  constructor(private readonly live: LiveRun) {}

  get chat(): RunRef {
    return this.live.ref;
  }

  runIds(): readonly string[] {
    return [this.live.ref.runId];
  }

  compare(states: FollowedStates): readonly Missed[] {
    const { live } = this;
    const run = states.run(live.ref.tenantId, live.ref.runId);
    if (run === undefined || live.isOver || live.abort.signal.aborted) return [];
    if (run.isCancelled) live.abort.abort('cancelled');
    else if (run.state === 'gone' || run.fence !== live.fence) live.abort.abort('lost');
    else return [];
    return ['stop'];
  }
}

interface LiveEntry {
  readonly live: LiveRun;
  readonly unfollow: Unwatch;
}

/** An answer that is complete and could not be stored while its worker had it. */
export interface Unstored {
  readonly live: LiveRun;
  readonly outcome: RunOutcome;
}

/** The answers that this node is writing, and the way to end one wherever it is written. */
@Injectable()
export class LiveRuns {
  private readonly runs = new Map<string, LiveEntry>();
  private readonly ofRoom = new Map<string, Set<LiveRun>>();
  /** Until the run's job comes by again, here or elsewhere: the database was away. */
  private readonly unstored = new Map<string, Unstored>();

  private readonly unsubscribe: Unsubscribe;

  constructor(
    private readonly bus: Bus,
    private readonly backstop: ChatBackstop,
  ) {
    this.unsubscribe = bus.subscribe(RUN_STOPS, ({ payload }) => {
      for (const runId of payload.runIds) this.find(runId)?.abort.abort('cancelled');
    });
  }

  @OnStop(StopStage.log)
  end(): void {
    this.unsubscribe();
  }

  /** How many answers are being written here. */
  @Gauge('chatapi_runs_live')
  size(): number {
    return this.runs.size;
  }

  find(runId: string): LiveRun | undefined {
    return this.runs.get(runId)?.live;
  }

  /** Those that write in a room. */
  in(tenantId: string, roomId: string): Iterable<LiveRun> {
    return this.ofRoom.size === 0 ? [] : (this.ofRoom.get(roomKey(tenantId, roomId)) ?? []);
  }

  add(live: LiveRun): void {
    const before = this.runs.get(live.ref.runId);
    if (before !== undefined) this.remove(before.live);
    const room = roomKey(live.ref.tenantId, live.ref.chatId);
    this.ofRoom.set(room, (this.ofRoom.get(room) ?? new Set()).add(live));
    this.runs.set(live.ref.runId, { live, unfollow: this.backstop.follow(new LiveFollowed(live)) });
  }

  /** It is among them while the work is done. */
  async during(live: LiveRun, work: () => Promise<void>): Promise<void> {
    this.add(live);
    try {
      await work();
    } finally {
      this.remove(live);
    }
  }

  remove(live: LiveRun): void {
    const entry = this.runs.get(live.ref.runId);
    if (entry?.live !== live) return;
    entry.unfollow();
    this.runs.delete(live.ref.runId);
    const room = roomKey(live.ref.tenantId, live.ref.chatId);
    const others = this.ofRoom.get(room);
    others?.delete(live);
    if (others?.size === 0) this.ofRoom.delete(room);
  }

  /**
   * Ends runs on whichever node they are; a hint, as all that goes over the bus. The node that writes one finds its row, which
   * says the same, within a second.
   */
  stop(runIds: readonly string[]): void {
    if (runIds.length > 0) this.bus.publish(RUN_STOPS, { runIds });
  }

  keep(runId: string, unstored: Unstored): void {
    this.unstored.set(runId, unstored);
  }

  takeUnstored(runId: string): Unstored | undefined {
    const kept = this.unstored.get(runId);
    this.unstored.delete(runId);
    return kept;
  }
}

/** Between two writes of tokens: as much of an answer may be lost when the server dies. */
const TICK_MS = 50;

/**
 * Stores the tokens of all answers of this node, in one statement per tick. What it cannot store now it stores with the
 * next tick; a run that another worker has taken, or that was cancelled elsewhere, is aborted.
 */
@Injectable()
export class ChunkWriter {
  private readonly dirty = new Set<LiveRun>();
  private writing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly repository: RunChunksRepository,
    private readonly runs: LiveRuns,
  ) {}

  @OnStop(StopStage.log)
  end(): void {
    clearTimeout(this.timer);
  }

  /** The run has new tokens. */
  mark(run: LiveRun): void {
    this.dirty.add(run);
    this.timer ??= setTimeout(() => this.tick(), TICK_MS);
  }

  /** Stores what the run has, as far as the database lets it. */
  async settle(run: LiveRun): Promise<void> {
    await this.writing;
    if (this.dirty.has(run)) await this.write();
    this.dirty.delete(run);
  }

  private tick(): void {
    this.timer = undefined;
    // The answer holds its text: what was not stored goes with the next tick.
    void this.write().then(() => {
      if (this.dirty.size > 0) this.timer ??= setTimeout(() => this.tick(), TICK_MS);
    });
  }

  private write(): Promise<void> {
    this.writing ??= this.writeAll().finally(() => (this.writing = undefined));
    return this.writing;
  }

  private async writeAll(): Promise<void> {
    const batch = [...this.dirty].map((run) => ({ run, firstIndex: run.stored, count: run.count }));
    for (const { run } of batch) this.dirty.delete(run);
    try {
      const verdicts = await this.repository.write(
        batch.map(({ run, firstIndex }) => ({ ...run.ref, fence: run.fence, firstIndex, ...run.from(firstIndex) })),
      );
      for (const { run, count } of batch) run.stored = count;
      for (const { run_id, is_lost } of verdicts) this.runs.find(run_id)?.abort.abort(is_lost ? 'lost' : 'cancelled');
    } catch {
      // Away: the pool has said so. The tokens are in memory.
      for (const { run } of batch) if (this.runs.find(run.ref.runId) === run) this.dirty.add(run);
    }
  }
}

/** An answer as far as it was published. */
function streamOf(live: LiveRun): RunningStream[] {
  const { begun, isOver, published, senderId, ref } = live;
  if (!begun || isOver) return [];
  const text = live.text.slice(0, published === 0 ? 0 : live.ends[published - 1]);
  const delta: StreamPart[] = published === 0 ? [] : [{ type: 'delta', text, index: published - 1 }];
  return [{ messageId: ref.runId, parts: [{ type: 'start', senderId }, ...delta] }];
}

/** Tells watchers of the chat, and members of its room on /ws, how an answer comes along. */
@Injectable()
export class RunPublisher {
  private readonly fresh = new Set<LiveRun>();

  constructor(
    private readonly hub: ChatHub,
    private readonly feed: RoomFeed,
    private readonly chunks: ChunkWriter,
    private readonly metrics: Metrics,
    live: LiveRuns,
  ) {
    // Who comes while an answer is written gets its beginning first.
    feed.streamsFrom((tenantId, roomId) => [...live.in(tenantId, roomId)].flatMap(streamOf));
  }

  started(live: LiveRun): void {
    const { tenantId, chatId, runId } = live.ref;
    this.hub.publish(live.ref, { kind: 'started', runId });
    this.feed.streamPart(tenantId, chatId, runId, { type: 'start', senderId: live.senderId });
  }

  /** The run has new tokens: what one turn brings goes together. */
  grown(live: LiveRun): void {
    this.publishSoon(live);
    this.chunks.mark(live);
  }

  /** The model thinks: told behind the tokens that came before it, and stored with no token. */
  thinks(live: LiveRun, text: string): void {
    if (live.count > live.published) this.tokens(live);
    live.think(text);
    this.publishSoon(live);
  }

  /** Right before the answer's message is published. */
  ended(live: LiveRun, answer: ChatMessage, failure: RunFailure | undefined): void {
    const { tenantId, chatId, runId } = live.ref;
    this.tokens(live);
    this.fresh.delete(live);
    live.isOver = true;
    this.metrics.counter('chatapi_runs_ended_total').labels({ status: answer.status }).inc();
    const ending = { kind: 'ended', runId, count: live.count, answer } as const;
    this.hub.publish(live.ref, failure === undefined ? ending : { ...ending, failure });
    // A notice is no answer.
    if (live.agent?.refused != null) return;
    this.feed.streamPart(
      tenantId,
      chatId,
      runId,
      failure === undefined
        ? { type: 'end', seq: answer.seq, status: answer.status, finishReason: answer.finishReason }
        : { type: 'error', code: failure.code, message: failure.message },
    );
  }

  /** It has ended without a message. */
  dropped(live: LiveRun): void {
    const { tenantId, chatId, runId } = live.ref;
    this.fresh.delete(live);
    if (live.isOver) return;
    live.isOver = true;
    this.metrics.counter('chatapi_runs_ended_total').labels({ status: 'cancelled' }).inc();
    if (live.begun)
      this.feed.streamPart(tenantId, chatId, runId, {
        type: 'error',
        code: 'CANCELLED',
        message: 'The answer was ended',
      });
  }

  private publishSoon(live: LiveRun): void {
    if (this.fresh.size === 0) setImmediate(() => this.flush());
    this.fresh.add(live);
  }

  private flush(): void {
    for (const live of this.fresh) this.tokens(live);
    this.fresh.clear();
  }

  private tokens(live: LiveRun): void {
    const first = live.published;
    if (live.thought !== '') {
      const { thought: text, thoughtBefore: from } = live;
      this.hub.publish(live.ref, { kind: 'reasoning', runId: live.ref.runId, first, from, text });
      live.thoughtBefore += text.length;
      live.thought = '';
    }
    if (live.count === first) return;
    live.published = live.count;
    const { tenantId, chatId, runId } = live.ref;
    this.metrics.tenant(tenantId).tokens += live.count - first;
    const { text, ends } = live.from(first);
    this.hub.publish(live.ref, { kind: 'tokens', runId, first, text, ends });
    this.feed.streamPart(tenantId, chatId, runId, { type: 'delta', text, index: live.count - 1 });
  }
}

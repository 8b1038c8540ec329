import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { type AppError, isUnavailable, unavailable } from '../../../common/errors';
import { encodeId } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { type SseStream, SseStreams, toAppError } from '../../../platform/http';
import { Lifecycle, OnStop, StopStage } from '../../../platform/lifecycle';
import { describeError, Log } from '../../../platform/logging';
import { Metrics } from '../../../platform/metrics';
import { ModelsService } from '../../models';
import {
  type Chat,
  type ChatEvent,
  type ChatMessage,
  ChatStreams,
  END_INDEX,
  type Turn,
  type Unwatch,
} from '../contract';
import { chatEvent, eventId, providerText, type TokenPosition } from '../events';
import {
  type AnswerFormat,
  chatFormat,
  chatMessageView,
  conversationFormat,
  type EndedRun,
  startEvent,
  tokenUsageView,
} from './views';
import type { AnswerDto } from './dto/conversation.dto';
import type { TurnDto } from './dto/chat.dto';

/** The caller and the reply that a stream answers. */
export interface StreamCall {
  readonly caller: Caller;
  readonly reply: FastifyReply;
}

/**
 * Answers as server-sent events. Ids are `<message_id>:<index>`; the last event's index is END_INDEX: a reader that has it
 * is missing nothing. The reader's leaving ends the watching, never the run.
 */
@Injectable()
export class AnswerStreams {
  constructor(
    private readonly runs: ChatStreams,
    private readonly sse: SseStreams,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /**
   * Does what ends in `open`, or finds that nothing is to be streamed, once there is a place for the stream.
   * @param userId the user that reads the stream
   * @throws 429 where the tenant or the user has all the streams that it may have: then nothing is done
   */
  withPermit<T>({ caller: { tenant }, reply }: StreamCall, userId: string, work: () => Promise<T>): Promise<T> {
    return this.sse.withPermit(reply, { tenant, userId }, work);
  }

  /**
   * Begins a stream that gives a run to its end, however long it waits for its turn.
   * @param opening written before the run says anything
   */
  open(
    call: StreamCall,
    chat: Chat,
    position: TokenPosition,
    format: AnswerFormat,
    opening: readonly object[],
  ): Readable {
    const stream = this.sse.openStream(call.reply, call.caller, format.lastWords);
    for (const event of opening) stream.sendEvent(event, idIn(format, position), nameIn(format, event));
    void this.follow(call, stream, chat, position, format);
    return stream.body;
  }

  /** What a reader that has this much of an answer should be given; undefined: nothing is missing and nothing runs. */
  async missing(chat: Chat, position: TokenPosition | undefined): Promise<TokenPosition | undefined> {
    if (position !== undefined && (await this.runs.hasAfter(chat, position.runId, position.afterIndex)))
      return position;
    const runId = await this.runs.running(chat);
    return runId === undefined ? undefined : { runId, afterIndex: -1 };
  }

  private async follow(
    call: StreamCall,
    stream: SseStream,
    chat: Chat,
    from: TokenPosition,
    format: AnswerFormat,
  ): Promise<void> {
    const { runId } = from;
    let { afterIndex } = from;
    let isBroken = false;
    const watcher = (event: ChatEvent): void => {
      if (event.type === 'message' || isBroken) return;
      if (event.type === 'deleted') return this.refuse(stream, format, { runId, afterIndex }, format.gone());
      const broken = format.broken?.(event);
      isBroken = broken !== undefined;
      if (broken !== undefined) return this.refuse(stream, format, { runId, afterIndex }, broken);
      if (event.type === 'started') ({ afterIndex } = event);
      if (event.type === 'tokens') afterIndex = event.index;
      if (event.type === 'ended') afterIndex = END_INDEX;
      for (const told of format.events(event))
        stream.sendEvent(told, idIn(format, { runId, afterIndex }), nameIn(format, told));
      if (event.type !== 'ended') return;
      if (event.failure !== undefined) this.metrics.errors(event.failure.code);
      stream.endStream();
    };
    try {
      const unwatch = await this.runs.follow(chat, runId, afterIndex, watcher);
      stream.onClose(unwatch);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'INTERNAL_ERROR')
        this.log.error({ request_id: call.caller.requestId, error: describeError(error.cause) }, 'stream failed');
      this.refuse(stream, format, { runId, afterIndex }, error);
    }
  }

  /** The reader may join again where it is: the id stays. */
  private refuse(stream: SseStream, format: AnswerFormat, position: TokenPosition, error: AppError): void {
    this.metrics.errors(error.code);
    const told = format.refusal(error);
    stream.sendEvent(told, idIn(format, position), nameIn(format, told));
    stream.endStream();
  }
}

/** Of an event that says its type. */
export function nameIn({ isNamed = false }: Pick<AnswerFormat, 'isNamed'>, event: object): string | undefined {
  return isNamed && 'type' in event ? String(event.type) : undefined;
}

function idIn({ withoutIds = false }: AnswerFormat, position: TokenPosition): string | undefined {
  return withoutIds ? undefined : eventId(position);
}

/** Of the time of running requests when the server stops: what is left is for the answers to get out. */
const SHARE_OF_REQUESTS = 0.7;

/**
 * Waiting for the end of a run, for answers over plain REST. A wait ends with the run, with the caller's leaving or with
 * the server's stop, in which it gets most of the requests' time; the run goes on in any case.
 */
@Injectable()
export class AnswerWaits {
  private readonly waiting = new Set<(error: AppError) => void>();
  private allGone: (() => void) | undefined;
  private over = false;

  constructor(
    private readonly runs: ChatStreams,
    private readonly lifecycle: Lifecycle,
  ) {}

  /**
   * @param gone what it is when the chat is deleted meanwhile
   * @throws 503 when the server stops first: the same call again, with its key, gets the same answer
   */
  async ended(chat: Chat, runId: string, response: ServerResponse, gone: () => AppError): Promise<EndedRun> {
    const { promise, resolve, reject } = deferred<EndedRun>();
    const isLeft = (): void => reject(unavailable('The caller has left', { outcome: 'unknown' }));
    this.waiting.add(reject);
    response.once('close', isLeft);
    if (response.destroyed) isLeft();
    if (this.over) reject(stopping());
    // However late it comes, also after the end: what is watched is unwatched.
    void this.watch(chat, runId, resolve, () => reject(gone())).then(
      (unwatch) => promise.then(unwatch, unwatch),
      reject,
    );
    try {
      return await promise;
    } finally {
      this.waiting.delete(reject);
      if (this.waiting.size === 0) this.allGone?.();
      response.removeListener('close', isLeft);
    }
  }

  private async watch(
    chat: Chat,
    runId: string,
    onEnd: (event: EndedRun) => void,
    onDeleted: () => void,
  ): Promise<Unwatch> {
    try {
      return await this.runs.follow(chat, runId, -1, (event) => {
        if (event.type === 'ended') onEnd(event);
        else if (event.type === 'deleted') onDeleted();
      });
    } catch (error) {
      // "Nothing has happened" would be wrong: the message is stored.
      if (isUnavailable(error)) throw unavailable(error.message, { outcome: 'unknown', cause: error });
      throw error;
    }
  }

  @OnStop(StopStage.requests, Infinity)
  async giveUp(): Promise<void> {
    const graceMs = this.lifecycle.stageLeftMs * SHARE_OF_REQUESTS;
    if (this.waiting.size > 0) {
      const { promise, resolve } = deferred<undefined>();
      this.allGone = () => resolve(undefined);
      const timer = new AbortController();
      await Promise.race([promise, pause(graceMs, undefined, { signal: timer.signal }).catch(() => undefined)]);
      timer.abort();
    }
    this.over = true;
    for (const reject of [...this.waiting]) reject(stopping());
  }
}

function stopping(): AppError {
  return unavailable('The server is stopping; ask again with the same key to get the answer', { outcome: 'unknown' });
}

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: AppError) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => undefined;
  let reject: Deferred<T>['reject'] = () => undefined;
  const promise = new Promise<T>((done, fail) => {
    resolve = done;
    reject = fail;
  });
  return { promise, resolve, reject };
}

/** How the two HTTP APIs answer a turn: as a stream, or when it has ended. */
@Injectable()
export class Answers {
  constructor(
    private readonly streams: AnswerStreams,
    private readonly waits: AnswerWaits,
    private readonly models: ModelsService,
  ) {}

  /** The AI chats API: `{message, answer}`. @throws 502 or 503 where the run failed */
  async turn(call: StreamCall, chat: Chat, turn: Turn): Promise<TurnDto> {
    const answer = await this.answerOf(call, chat, turn, this.chatDoor(call, chat));
    return { message: chatMessageView(chat.chatId, turn.message), answer: chatMessageView(chat.chatId, answer) };
  }

  /** The AI chats API: the socket's events, the message first. @throws 429 before a message is stored */
  turnStream(
    call: StreamCall,
    chat: Chat,
    say: () => Promise<Turn>,
    clientMessageId: string | undefined,
  ): Promise<Readable> {
    return this.streams.withPermit(call, chat.userId, async () => {
      const turn = await say();
      const received = chatEvent(
        { type: 'message', message: turn.message, clientMessageId: clientMessageId ?? null },
        chat.chatId,
      );
      return this.streams.open(call, chat, beginningOf(turn), this.chatDoor(call, chat), [received]);
    });
  }

  /** The AI chats API: what is missing after `position`; undefined: nothing. @throws 429 */
  rejoin(call: StreamCall, chat: Chat, position: TokenPosition | undefined): Promise<Readable | undefined> {
    return this.streams.withPermit(call, chat.userId, async () => {
      const missing = await this.streams.missing(chat, position);
      return missing && this.streams.open(call, chat, missing, this.chatDoor(call, chat), []);
    });
  }

  /** The Conversations API. @throws 502 or 503 where the run ended badly, with its first tokens written or not */
  async response(call: StreamCall, chat: Chat, turn: Turn): Promise<AnswerDto> {
    const { content, usage, finishReason } = await this.answerOf(
      call,
      chat,
      turn,
      this.conversationDoor(call, chat, false),
    );
    return {
      response: content,
      conversationId: encodeId('conversation', chat.chatId),
      usage: usage === null ? null : tokenUsageView(usage),
      finishReason,
    };
  }

  /**
   * The Conversations API: `start` at once, though the run may have to wait for its turn. @throws 429 before a message
   * is stored
   */
  responseStream(
    call: StreamCall,
    userId: string,
    say: () => Promise<{ readonly chat: Chat; readonly turn: Turn }>,
  ): Promise<Readable> {
    return this.streams.withPermit(call, userId, async () => {
      const { chat, turn } = await say();
      return this.streams.open(call, chat, beginningOf(turn), this.conversationDoor(call, chat, true), [
        startEvent(chat.chatId),
      ]);
    });
  }

  /** The Conversations API: what is missing after `position`; undefined: nothing. @throws 429 */
  rejoinResponse(call: StreamCall, chat: Chat, position: TokenPosition | undefined): Promise<Readable | undefined> {
    return this.streams.withPermit(call, chat.userId, async () => {
      const missing = await this.streams.missing(chat, position);
      if (missing === undefined) return undefined;
      // In the middle the run says where it goes on: that may be at its beginning.
      const isStarted = missing.afterIndex < 0;
      const opening = isStarted ? [startEvent(chat.chatId)] : [];
      return this.streams.open(call, chat, missing, this.conversationDoor(call, chat, isStarted), opening);
    });
  }

  private chatDoor({ caller }: StreamCall, chat: Chat): AnswerFormat {
    return chatFormat(chat, caller.requestId, providerText(this.models, caller));
  }

  private conversationDoor({ caller }: StreamCall, chat: Chat, isStarted: boolean): AnswerFormat {
    return conversationFormat(chat, isStarted, providerText(this.models, caller));
  }

  private async answerOf(call: StreamCall, chat: Chat, { runId }: Turn, format: AnswerFormat): Promise<ChatMessage> {
    const event: EndedRun = await this.waits.ended(chat, runId, call.reply.raw, () => format.gone());
    const failure = format.failure(event);
    if (failure !== undefined) throw failure;
    return event.answer;
  }
}

function beginningOf({ runId }: Turn): TokenPosition {
  return { runId, afterIndex: -1 };
}

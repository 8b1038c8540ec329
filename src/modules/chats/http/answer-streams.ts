import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { AppError } from '../../../common/errors';
import type { Caller } from '../../../platform/auth';
import { type SseStream, SseStreams, toAppError } from '../../../platform/http';
import { describeError, Log } from '../../../platform/logging';
import { Metrics } from '../../../platform/metrics';
import { type Chat, type ChatEvent, ChatStreams, END_INDEX } from '../contract';
import type { AnswerFormat } from './doors';
import { eventId, type TokenPosition } from '../event-id';

/** Whom a stream answers. */
export interface StreamCall {
  readonly caller: Caller;
  readonly reply: FastifyReply;
}

/**
 * Answers as server-sent events. Ids are `<message_id>:<index>`; the last event's index is END_INDEX: a reader who has it
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
   * @param userId to whom it goes
   * @throws 429 where the tenant or the user has all the streams that it may have: then nothing is done
   */
  seated<T>({ caller: { tenant }, reply }: StreamCall, userId: string, work: () => Promise<T>): Promise<T> {
    return this.sse.seated(reply, { tenant, userId }, work);
  }

  /**
   * Begins a stream that gives a run to its end, however long it waits for its turn.
   * @param opening written before the run says anything
   */
  open(
    call: StreamCall,
    chat: Chat,
    position: TokenPosition,
    door: AnswerFormat,
    opening: readonly object[],
  ): Readable {
    const stream = this.sse.open(call.reply, call.caller);
    for (const event of opening) stream.send(event, eventId(position));
    void this.follow(call, stream, chat, position, door);
    return stream.body;
  }

  /** What a reader who has this much of an answer should be given; undefined: nothing is missing and nothing runs. */
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
    door: AnswerFormat,
  ): Promise<void> {
    const { runId } = from;
    let { afterIndex } = from;
    const watcher = (event: ChatEvent): void => {
      if (event.type === 'message') return;
      if (event.type === 'deleted') return this.refuse(stream, door, { runId, afterIndex }, door.gone());
      if (event.type === 'started') ({ afterIndex } = event);
      if (event.type === 'tokens') afterIndex = event.index;
      if (event.type === 'ended') afterIndex = END_INDEX;
      const told = door.event(event);
      if (told !== undefined) stream.send(told, eventId({ runId, afterIndex }));
      if (event.type !== 'ended') return;
      if (event.failure !== undefined) this.metrics.errors(event.failure.code);
      stream.end();
    };
    try {
      const unwatch = await this.runs.follow(chat, runId, afterIndex, watcher);
      stream.onClose(unwatch);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === 'INTERNAL_ERROR')
        this.log.error({ request_id: call.caller.requestId, error: describeError(error.cause) }, 'stream failed');
      this.refuse(stream, door, { runId, afterIndex }, error);
    }
  }

  /** The reader may join again where it is: the id stays. */
  private refuse(stream: SseStream, door: AnswerFormat, position: TokenPosition, error: AppError): void {
    this.metrics.errors(error.code);
    stream.send(door.refusal(error), eventId(position));
    stream.end();
  }
}

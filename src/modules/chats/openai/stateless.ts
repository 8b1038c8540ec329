import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { AppError } from '../../../common/errors';
import { newUuid } from '../../../common/ids';
import { type LastWords, type SseStream, SseStreams, toAppError } from '../../../platform/http';
import { describeError, Log } from '../../../platform/logging';
import { Metrics } from '../../../platform/metrics';
import type { ModelPart } from '../../models';
import type { TokenUsage } from '../contract';
import { nameIn, type StreamCall } from '../http/answers';
import { type PromptMessage, systemPromptOf } from '../runs/answerer';
import { type ModelCall, ModelCalls } from '../runs/model-calls';
import type { Wanted } from './rules';
import type { ReadMessage } from './openai-body';

/** How an answer without a chat ended. */
export type StatelessEnd = Extract<ModelPart, { type: 'end' }> & {
  readonly usage: TokenUsage;
  /** How many images the model was not shown. */
  readonly imagesLeftOut: number;
};

/** The words of one way to ask, for answers that are kept nowhere. */
export interface StatelessFormat {
  begin(): readonly object[];
  text(text: string): readonly object[];
  end(end: StatelessEnd): readonly object[];
  refusal(error: AppError): object;
  readonly lastWords: LastWords;
  /** Whether each event is named by its `type`. */
  readonly isNamed?: boolean;
}

/** What is asked, without the connection that asks. */
export interface StatelessAsk {
  /** UUID of the call. */
  readonly callId: string;
  readonly wanted: Wanted;
  readonly messages: readonly ReadMessage[];
}

/**
 * Answers that belong to their connection: a client that leaves ends them, and what they have used is charged. They count as
 * streams of their tenant and user, also those that are not streamed, so nobody can have any number of them at a time.
 */
@Injectable()
export class StatelessAnswers {
  constructor(
    private readonly calls: ModelCalls,
    private readonly sse: SseStreams,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  newId(): string {
    return newUuid();
  }

  /** The whole answer. @throws 429, 502, 503 */
  whole(call: StreamCall, ask: StatelessAsk): Promise<{ readonly text: string; readonly end: StatelessEnd }> {
    return this.withPermit(call, async () => {
      const left = new AbortController();
      const leave = (): void => left.abort();
      call.reply.raw.once('close', leave);
      let text = '';
      let imagesLeftOut = 0;
      try {
        for await (const part of this.calls.stream(callOf(call, ask, left.signal))) {
          if (part.type === 'start') imagesLeftOut = part.imagesLeftOut ?? 0;
          if (part.type === 'delta') text += part.text;
          if (part.type === 'end') return { text, end: { ...part, imagesLeftOut } };
        }
        throw new Error('the stream of a model had no end');
      } finally {
        call.reply.raw.removeListener('close', leave);
      }
    });
  }

  /** The answer as it comes; what fails before its first word is thrown. @throws 429, 502, 503 */
  stream(call: StreamCall, ask: StatelessAsk, format: StatelessFormat): Promise<Readable> {
    return this.withPermit(call, async () => {
      const left = new AbortController();
      const leave = (): void => left.abort();
      call.reply.raw.once('close', leave);
      const parts = this.calls.stream(callOf(call, ask, left.signal));
      const first = await afterThoughts(parts);
      call.reply.raw.removeListener('close', leave);
      const stream = this.sse.openStream(call.reply, call.caller, format.lastWords);
      stream.onClose(leave);
      void this.pump(call, stream, { parts, first }, format, left.signal);
      return stream.body;
    });
  }

  private withPermit<T>({ caller: { tenant, optionalUserId: userId }, reply }: StreamCall, work: () => Promise<T>) {
    return this.sse.withPermit(reply, { tenant, userId }, work);
  }

  private async pump(
    { caller }: StreamCall,
    stream: SseStream,
    { parts, first }: { parts: AsyncGenerator<ModelPart>; first: IteratorResult<ModelPart> },
    format: StatelessFormat,
    signal: AbortSignal,
  ): Promise<void> {
    const send = (events: readonly object[]): void => {
      for (const event of events) stream.sendEvent(event, undefined, nameIn(format, event));
    };
    let imagesLeftOut = 0;
    try {
      send(format.begin());
      for (let next = first; next.done !== true; next = await parts.next()) {
        const part = next.value;
        if (part.type === 'start') imagesLeftOut = part.imagesLeftOut ?? 0;
        if (part.type === 'delta') send(format.text(part.text));
        if (part.type === 'end') send(format.end({ ...part, imagesLeftOut }));
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const error = toAppError(thrown);
      if (error.code === 'INTERNAL_ERROR')
        this.log.error({ request_id: caller.requestId, error: describeError(error.cause) }, 'stream failed');
      this.metrics.errors(error.code);
      send([format.refusal(error)]);
    } finally {
      stream.endStream();
      // What cannot be written leaves the model as a client does: its charge ends, and its images go.
      await parts.return(undefined).catch(() => undefined);
    }
  }
}

/** What is thought aloud has no place in what clients of this API read. */
async function afterThoughts(parts: AsyncGenerator<ModelPart>): Promise<IteratorResult<ModelPart>> {
  for (;;) {
    const next = await parts.next();
    if (next.done === true || next.value.type !== 'reasoning') return next;
  }
}

function callOf({ caller }: StreamCall, { callId, wanted, messages }: StatelessAsk, signal: AbortSignal): ModelCall {
  const { preset, options, instructions } = wanted;
  return {
    ...{ tenantId: caller.tenantId, userId: caller.optionalUserId ?? null, callId, preset, options, signal },
    systemPrompt: systemPromptOf(preset, instructions),
    messages: messages.map(promptOf),
    requestId: caller.requestId,
  };
}

function promptOf({ role, content, images }: ReadMessage): PromptMessage {
  return images.length === 0 ? { kind: role, content } : { kind: role, content, images };
}

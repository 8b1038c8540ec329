import type { ModelPart } from '../contract';
import { ChannelFault, type ChatModel, type ChatRequest, type Endpoint } from '../providers/chat-model';
import { CleanText } from './clean-text';
import { type Patience, timed } from './timed';
import { usageOf } from './token-count';

export type AnswerPart = Extract<ModelPart, { type: 'delta' | 'end' }>;

/** One try with one channel. */
export interface Attempt {
  readonly model: ChatModel;
  readonly endpoint: Endpoint;
  readonly request: ChatRequest;
  readonly patience: Patience;
  /** Milliseconds for the whole answer. */
  readonly totalMs: number;
}

/**
 * The answer of one channel, storable and in time: deltas that are not empty, then `end`. Throws a ChannelFault, or the
 * reason of the request's signal.
 */
export async function* answerOf({ model, endpoint, request, patience, totalMs }: Attempt): AsyncGenerator<AnswerPart> {
  const text = new CleanText();
  let bytes = 0;
  const begin = (signal: AbortSignal) => model.stream(endpoint, { ...request, signal });
  for await (const part of timed(begin, request.signal, patience, totalMs)) {
    if (part.type === 'alive') continue;
    const clean = part.type === 'text' ? text.push(part.text) : text.flush();
    if (clean !== '') {
      bytes += Buffer.byteLength(clean);
      yield { type: 'delta', text: clean };
    }
    if (part.type === 'end') {
      yield { type: 'end', finishReason: part.finishReason, usage: usageOf(request.messages, bytes, part) };
      return;
    }
  }
  throw new ChannelFault('ended its answer in the middle');
}

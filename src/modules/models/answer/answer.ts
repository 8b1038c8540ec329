import type { OutboundPost } from '../../../platform/outbound';
import type { FinishReason, ModelPart } from '../contract';
import {
  ChannelFault,
  type ChatModel,
  type ChatRequest,
  type Endpoint,
  type Finished,
  type RawPart,
} from '../providers/chat-model';
import { Meter } from './meter';
import { timed, type Timeouts } from './timed';

const REPLACEMENT = '\ufffd';

/**
 * Makes the text of an answer storable while it comes: U+0000 and lone surrogates become U+FFFD. The first half of a
 * pair at the end of a piece is held back until the next one, which may begin with the other half.
 */
export class CleanText {
  private held = '';

  /** The clean text that can be handed out now; may be empty. */
  push(piece: string): string {
    let text = this.held + piece;
    this.held = '';
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.held = text.slice(-1);
      text = text.slice(0, -1);
    }
    return clean(text);
  }

  /** What was held back, at the end of the answer. */
  flush(): string {
    const text = this.held;
    this.held = '';
    return clean(text);
  }
}

function clean(text: string): string {
  return text.replaceAll('\0', REPLACEMENT).toWellFormed();
}

export type AnswerPart = Extract<ModelPart, { type: 'delta' | 'end' }>;

/** One try with one channel. */
export interface ModelAttempt {
  readonly model: ChatModel;
  readonly endpoint: Endpoint;
  readonly request: ChatRequest;
  readonly timeouts: Timeouts;
  /** Most UTF-8 bytes of its text; what would be longer ends there, with `length`. */
  readonly maxBytes: number;
}

/**
 * The answer of one channel, storable, bounded and in time: deltas that are not empty, at least one, then `end`. Throws a
 * ChannelFault, or the reason of the request's signal.
 * @param meter counts along
 */
export async function* answerOf(
  attempt: ModelAttempt,
  meter = new Meter(attempt.request.messages),
): AsyncGenerator<AnswerPart> {
  const { request, timeouts, maxBytes } = attempt;
  const text = new CleanText();
  let finished: Finished | undefined;
  for await (const part of timed(streamOf(attempt, meter), request.signal, timeouts, isLast)) {
    meter.hasBegun = true;
    if (part.type === 'finished') finished = part;
    else if (part.type === 'reasoning') meter.reasoningBytes += Buffer.byteLength(part.text);
    else {
      const clean = text.push(part.text);
      if (clean === '') continue;
      const piece = within(clean, maxBytes - meter.textBytes);
      meter.textBytes += Buffer.byteLength(piece);
      if (piece !== '') yield { type: 'delta', text: piece };
      if (piece !== clean) {
        yield { type: 'end', finishReason: 'length', usage: meter.whole(UNREPORTED) };
        return;
      }
    }
  }
  const rest = text.flush();
  meter.textBytes += Buffer.byteLength(rest);
  if (rest !== '') yield { type: 'delta', text: rest };
  if (meter.textBytes === 0) throw withoutText(finished?.finishReason, meter);
  if (finished === undefined) throw new ChannelFault('ended its answer in the middle');
  yield { type: 'end', finishReason: finished.finishReason, usage: meter.whole(finished) };
}

function isLast(part: RawPart): boolean {
  return part.type === 'finished';
}

/** The model's stream, where every byte of it is a sign of life. */
function streamOf({ model, endpoint, request }: ModelAttempt, meter: Meter) {
  return (signal: AbortSignal, sign: () => void): AsyncIterable<RawPart> => {
    const post: OutboundPost = async (url, asked) => {
      const answer = await endpoint.post(url, asked);
      if (answer.status >= 200 && answer.status < 300) meter.hasBegun = true;
      return { ...answer, body: signing(answer.body, sign) };
    };
    return model.stream({ ...endpoint, post }, { ...request, signal });
  };
}

async function* signing(body: AsyncIterable<Buffer>, sign: () => void): AsyncGenerator<Buffer> {
  for await (const bytes of body) {
    sign();
    yield bytes;
  }
}

/** As much of a text as has room, cut between two characters. */
function within(text: string, room: number): string {
  // A UTF-16 unit has at most three bytes.
  if (text.length * 3 <= room || Buffer.byteLength(text) <= room) return text;
  let [end, bytes] = [0, 0];
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > room) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** Nobody can read an answer without text; why there is none says what to do, and whose fault it is. */
function withoutText(finishReason: FinishReason | undefined, { reasoningBytes }: Meter): ChannelFault {
  switch (finishReason) {
    case 'content_filter':
      return new ChannelFault('withheld its answer: it refuses the content', { reason: 'content' });
    case 'tool_calls':
      return new ChannelFault('called a tool that nobody has offered, and said nothing', REQUESTS_EMPTY);
    case 'length':
      if (reasoningBytes > 0) return new ChannelFault('used all its tokens for thinking', { reason: 'reasoning' });
      return new ChannelFault(WITHOUT_TEXT, REQUESTS_EMPTY);
    case undefined:
    case 'other':
      // It fell over, where it did not even say why it ended.
      return new ChannelFault(WITHOUT_TEXT, { reason: 'empty' });
    default:
      // Users can have a model say nothing: that must break no channel.
      return new ChannelFault(WITHOUT_TEXT, REQUESTS_EMPTY);
  }
}

const WITHOUT_TEXT = 'ended its answer without any text';
const REQUESTS_EMPTY = { reason: 'empty', blame: 'request' } as const;
const UNREPORTED = { promptTokens: undefined, completionTokens: undefined };

import type { OutboundPost } from '../../../platform/outbound';
import type { AnswerBound, FinishReason, ModelMessage, ModelPart, ModelUsage } from '../contract';
import {
  ChannelFault,
  type ChatModel,
  type ChatRequest,
  type Endpoint,
  type Finished,
  type RawPart,
} from '../providers/chat-model';

export type AnswerPart = Extract<ModelPart, { type: 'reasoning' | 'delta' | 'end' }>;

/** One try with one channel. */
export interface ModelAttempt {
  readonly model: ChatModel;
  readonly endpoint: Endpoint;
  readonly request: ChatRequest;
  readonly timeouts: Timeouts;
  /**
   * Most UTF-8 bytes of its text; what would be longer ends there, with `length`. What it thinks beyond as much is counted, and
   * handed out no more.
   */
  readonly maxBytes: number;
  readonly bound?: AnswerBound | undefined;
}

/**
 * The answer of one channel, storable, bounded and in time: deltas that are not empty, at least one, then `end`; and between
 * them what it thinks. Throws a ChannelFault, or the reason of the request's signal.
 * @param meter counts along
 */
export async function* answerOf(
  attempt: ModelAttempt,
  meter = new Meter(attempt.request.messages),
): AsyncGenerator<AnswerPart> {
  const { request, timeouts, maxBytes, bound } = attempt;
  const text = new CleanText();
  const thoughts = new Thoughts(maxBytes);
  let finished: Finished | undefined;
  for await (const part of timed(streamOf(attempt, meter), request.signal, timeouts, isLast)) {
    meter.hasBegun = true;
    if (part.type === 'finished') finished = part;
    else if (part.type === 'reasoning') {
      meter.reasoningBytes += Buffer.byteLength(part.text);
      if (bound !== undefined && (await leftOf(bound, meter)) < 0) {
        yield cutBy('budget', meter);
        return;
      }
      yield* thoughts.push(part.text);
    } else {
      const clean = text.push(part.text);
      if (clean === '') continue;
      const bytes = Buffer.byteLength(clean);
      const left = bound === undefined ? Infinity : await leftOf(bound, meter, bytes);
      const room = maxBytes - meter.textBytes;
      const piece = within(clean, Math.min(left, room));
      meter.textBytes += Buffer.byteLength(piece);
      if (piece !== '') yield { type: 'delta', text: piece };
      if (piece !== clean) {
        yield cutBy(left < room ? 'budget' : 'length', meter);
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

/** What a model thinks, storable and bounded. */
class Thoughts {
  private readonly text = new CleanText();

  /** @param room UTF-8 bytes that are left */
  constructor(private room: number) {}

  push(piece: string): AnswerPart[] {
    const text = within(this.text.push(piece), this.room);
    this.room -= Buffer.byteLength(text);
    return text === '' ? [] : [{ type: 'reasoning', text }];
  }
}

/** Of an answer that is ended here, before its model has: what it has used is counted. */
function cutBy(finishReason: FinishReason, meter: Meter): AnswerPart {
  return { type: 'end', finishReason, usage: meter.whole(UNREPORTED) };
}

/** Bytes that the bound leaves an answer; below 0: it is beyond it. Asks for more where `wanted` bytes would not fit. */
async function leftOf(bound: AnswerBound, meter: Meter, wanted = 0): Promise<number> {
  const used = meter.tokensBefore * BYTES_PER_TOKEN + meter.textBytes + meter.reasoningBytes;
  while (estimateTokens(used + wanted) > bound.tokens && (await bound.more()));
  return bound.tokens * BYTES_PER_TOKEN - used;
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

/** An answer without text is none; why there is no text says what to do, and whose fault it is. */
function withoutText(finishReason: FinishReason | undefined, { reasoningBytes }: Meter): ChannelFault {
  switch (finishReason) {
    case 'content_filter':
      return new ChannelFault('withheld its answer: it refuses the content', { reason: 'content' });
    case 'tool_calls':
      return new ChannelFault('called a tool that nobody has offered, and said nothing', REQUESTS_EMPTY);
    case 'length':
      if (reasoningBytes > 0) return new ChannelFault('used all its tokens for thinking', { reason: 'reasoning' });
      return new ChannelFault(WITHOUT_TEXT, { ...REQUESTS_EMPTY, finishReason });
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

/** Milliseconds until a connection stands; see outboundPost. */
export const CONNECT_MS = 5000;
/** What may follow the last word of an answer, an account of it, is waited for so long. */
const ACCOUNT_MS = 2000;

/** How long a provider may be silent, in milliseconds. */
export interface Timeouts {
  /** From the request to the first sign of life in the answer. */
  readonly firstMs: number;
  /** Between two of them. */
  readonly idleMs: number;
  /** For the whole answer. */
  readonly totalMs: number;
}

/**
 * Reads a stream that may fall silent at any point; `begin` gets the signal that ends it, and a function to call at every
 * sign of life between two steps. Throws a ChannelFault when a deadline passes, and the reason of the caller's signal when
 * that is aborted: at once, whatever the stream does. The reader's own silence does not count.
 * @param isLast a step after which only an account may follow: the stream is over soon, however it ends, unless something
 * else follows after all (there are providers that say with each piece that it is the last)
 */
export async function* timed<T>(
  begin: (signal: AbortSignal, sign: () => void) => AsyncIterable<T>,
  caller: AbortSignal,
  timeouts: Timeouts,
  isLast: (step: T) => boolean = () => false,
): AsyncGenerator<T> {
  caller.throwIfAborted();
  const watch = new Watch(caller, timeouts);
  const iterator = begin(watch.ended.signal, () => watch.sign())[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await watch.wait(iterator.next());
      if (next === undefined || next.done === true) return;
      if (isLast(next.value)) watch.last();
      else watch.goesOn();
      yield next.value;
    }
  } finally {
    watch.close();
    // Also when the reader leaves, or the stream has failed half-way: nothing may stay open.
    iterator.return?.().catch(() => undefined);
  }
}

/** The deadlines of one stream: one timer for silence, which is put off, and one for the whole. */
class Watch {
  readonly ended = new AbortController();
  private silence: NodeJS.Timeout;
  private readonly total: NodeJS.Timeout;
  private phase: 'first' | 'idle' | 'account' | 'over' = 'first';
  /** Of the step that is waited for. */
  private waiting: { readonly over: () => void; readonly fail: (reason: unknown) => void } | undefined;

  constructor(
    private readonly caller: AbortSignal,
    private readonly timeouts: Timeouts,
  ) {
    const { firstMs, totalMs } = timeouts;
    this.silence = setTimeout(() => this.silent(firstMs), firstMs);
    this.total = setTimeout(() => this.end(new ChannelFault(`took longer than ${seconds(totalMs)}`, TIMEOUT)), totalMs);
    caller.addEventListener('abort', this.give, { once: true });
  }

  sign(): void {
    if (this.phase === 'idle') this.silence.refresh();
    else if (this.phase === 'first') {
      this.phase = 'idle';
      const { idleMs } = this.timeouts;
      clearTimeout(this.silence);
      this.silence = setTimeout(() => this.silent(idleMs), idleMs);
    }
  }

  /** A step that is not the last one, whatever was said before. */
  goesOn(): void {
    if (this.phase === 'account') this.phase = 'first';
    this.sign();
  }

  last(): void {
    if (this.phase === 'account' || this.phase === 'over') return;
    this.phase = 'account';
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.phase = 'over';
      this.ended.abort();
      this.waiting?.over();
    }, ACCOUNT_MS);
  }

  /** The step; undefined when it is not waited for any longer, since the answer is whole. */
  wait<V>(step: Promise<V>): Promise<V | undefined> {
    return new Promise((resolve, reject) => {
      // Does not wait for the step: a stream need not heed its signal.
      this.waiting = { over: () => resolve(undefined), fail: reject };
      if (this.phase === 'over') resolve(undefined);
      else if (this.ended.signal.aborted) reject(this.ended.signal.reason as Error);
      else if (this.phase !== 'account') this.silence.refresh();
      step.then(resolve, reject).finally(() => (this.waiting = undefined));
    });
  }

  close(): void {
    clearTimeout(this.total);
    clearTimeout(this.silence);
    this.caller.removeEventListener('abort', this.give);
    this.ended.abort();
  }

  private readonly give = (): void => this.end(this.caller.reason);

  private silent(ms: number): void {
    if (this.waiting === undefined) this.silence.refresh();
    else this.end(new ChannelFault(`said nothing for ${seconds(ms)}`, TIMEOUT));
  }

  private end(reason: unknown): void {
    this.ended.abort(reason);
    this.waiting?.fail(reason);
  }
}

const TIMEOUT = { reason: 'timeout' } as const;

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** Of English text about this many bytes are a token; other scripts have longer characters, and more tokens for them. */
const BYTES_PER_TOKEN = 4;

/** An estimate where the provider reports nothing: the bytes of the UTF-8 text by four, rounded up. */
export function estimateTokens(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

type ReportedTokens = Pick<Finished, 'promptTokens' | 'cachedPromptTokens' | 'completionTokens'>;

/**
 * As the provider reported it; what it left out is estimated, and then the whole is called so. A 0 for what was there is
 * left out too: some providers send zeros for what they do not count.
 */
export function usageOf(messages: readonly ModelMessage[], answerBytes: number, reported: ReportedTokens): ModelUsage {
  const asked = messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0);
  const counted = {
    prompt: reported.promptTokens === 0 && asked > 0 ? undefined : reported.promptTokens,
    completion: reported.completionTokens === 0 && answerBytes > 0 ? undefined : reported.completionTokens,
  };
  const promptTokens = counted.prompt ?? estimateTokens(asked) + sum(messages.map(imageTokens));
  const completionTokens = counted.completion ?? estimateTokens(answerBytes);
  const estimated = counted.prompt === undefined || counted.completion === undefined;
  return {
    promptTokens,
    ...cachedOf(counted.prompt, reported.cachedPromptTokens),
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    estimated,
  };
}

/** What the images of a message count as. */
export function imageTokens({ images = [] }: Pick<ModelMessage, 'images'>): number {
  return sum(images.map(({ tokens }) => tokens));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}

/** More than the whole prompt cannot have been in a cache. @param prompt undefined where it was estimated */
function cachedOf(prompt: number | undefined, cached: number | undefined): Pick<ModelUsage, 'cachedPromptTokens'> {
  return prompt === undefined || cached === undefined ? {} : { cachedPromptTokens: Math.min(prompt, cached) };
}

/** What an answer has used so far, however it ends. */
export class Meter {
  /** The model has begun, so it costs. */
  hasBegun = false;
  /** UTF-8 of its text, and of what it thought. */
  textBytes = 0;
  reasoningBytes = 0;

  /** @param tokensBefore that tries before have had of the same bound */
  constructor(
    private readonly messages: readonly ModelMessage[],
    readonly tokensBefore = 0,
  ) {}

  /** Of an answer that has ended. */
  whole(reported: ReportedTokens): ModelUsage {
    return usageOf(this.messages, this.textBytes + this.reasoningBytes, reported);
  }

  /** Of one that came to no end; undefined where no model had begun. */
  get spent(): ModelUsage | undefined {
    return this.hasBegun ? this.whole({ promptTokens: undefined, completionTokens: undefined }) : undefined;
  }
}

/** What several answers to one question have used and cost, as far as that is known. */
export function sumOf(usages: readonly ModelUsage[]): ModelUsage | undefined {
  if (usages.length === 0) return undefined;
  const promptTokens = sum(usages.map((usage) => usage.promptTokens));
  const completionTokens = sum(usages.map((usage) => usage.completionTokens));
  const estimated = usages.some((usage) => usage.estimated);
  const cached = usages.flatMap(({ cachedPromptTokens }) => cachedPromptTokens ?? []);
  const known = usages.flatMap(({ cost }) => cost ?? []);
  return {
    promptTokens,
    ...(cached.length === 0 ? {} : { cachedPromptTokens: sum(cached) }),
    ...(known.length === 0 ? {} : { cost: sum(known) }),
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    estimated,
  };
}

/** Stands between two messages that are told as one. */
export const BETWEEN_MESSAGES = '\n\n';

/** Neighbours of one role become one message: there are models that let their speakers only take turns. */
export function joinNeighbours<T extends ModelMessage>(messages: readonly T[]): T[] {
  const joined: T[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    if (last?.role !== message.role) joined.push(message);
    else {
      const images = [...(last.images ?? []), ...(message.images ?? [])];
      const content = last.content + BETWEEN_MESSAGES + message.content;
      joined[joined.length - 1] = { ...last, content, ...(images.length === 0 ? {} : { images }) };
    }
  }
  return joined;
}

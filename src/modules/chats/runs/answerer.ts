import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../../../common/errors';
import { describeError, Log } from '../../../platform/logging';
import { ChatLog, type LoggedMessage } from '../../messages';
import {
  type AnswerOptions,
  BETWEEN_MESSAGES,
  estimateTokens,
  faultReasonOf,
  IMAGE_PLACE,
  imagePlacesIn,
  imageTokens,
  joinNeighbours,
  type ModelMessage,
  type ModelPart,
  ModelsService,
  type ModelUsage,
  type Preset,
  PresetsService,
} from '../../models';
import { agentPrompt, roomTold } from '../agents/room-prompt';
import { type BegunAgent, budgetFailure } from '../chats.functions';
import type { RunFailure, TurnOptions } from '../contract';
import { type LiveRun, type RunOutcome, RunPublisher, STOPPED } from './live-runs';
import { PromptImages } from './prompt-images';
import { type TokenReservation, retryWhileAway, RunsRepository } from './runs.repository';

/** What was too long for a model is remembered for so long: a channel may be changed. */
const REMEMBERED_MS = 60 * 60_000;
const MODELS_REMEMBERED = 10_000;
/** However often a model refuses: less is no question any more. */
const LEAST_TOLD = 256;

/** What an answer needs to know of its chat, and how it is wanted. */
export interface Question {
  readonly userId: string;
  readonly preset: string;
  /** The model sees nothing up to here. */
  readonly clearedSeq: number;
  /** Of the request: before the preset's. */
  readonly options: TurnOptions;
  /** Who answers in a room of people; undefined: the assistant of a chat. */
  readonly agent?: BegunAgent | undefined;
}

/** A message of the log with its images, as far as they are here. */
type ContextMessage = LoggedMessage & Pick<ModelMessage, 'images'>;

/** What is told of the log with a question. */
@Injectable()
export class RunContext {
  constructor(
    private readonly messages: ChatLog,
    private readonly images: PromptImages,
  ) {}

  /** The question, last, and what was said before it; of a room of people with who said it. */
  async read(live: LiveRun, question: Question, limit: number): Promise<readonly ContextMessage[]> {
    const messages = await this.logged(live, question, limit);
    const asked = messages.at(-1);
    // A question that shows images names them.
    if (asked?.content.includes(IMAGE_PLACE) !== true) return messages;
    const images = this.images.of(live.ref.runId);
    return images.length === 0 ? messages : [...messages.slice(0, -1), { ...asked, images }];
  }

  /** The run needs its images no more. */
  release({ ref }: LiveRun): void {
    this.images.release(ref.runId);
  }

  private async logged(live: LiveRun, { clearedSeq, agent }: Question, limit: number): Promise<LoggedMessage[]> {
    const { tenantId, chatId } = live.ref;
    if (agent === undefined) return this.messages.context(tenantId, chatId, live.replyToSeq, clearedSeq, limit);
    const { agent_id: id } = agent;
    return roomTold(await this.messages.contextIn(tenantId, chatId, live.replyToSeq, clearedSeq, limit, id), id);
  }
}

/** One question on its way to a model. */
interface Asking {
  readonly preset: Preset;
  /** The system prompt. */
  readonly prompt: string;
  readonly options: AnswerOptions;
  /** The last one is answered; with its images, as far as they are here. */
  readonly messages: readonly ContextMessage[];
  told: readonly ModelMessage[];
  /** What it may use; undefined where no budget says. */
  bound: TokenReservation | undefined;
  /** What a model that came to no end says that it has used. */
  spent: ModelUsage | undefined;
}

/** Has a model answer, and says how that ended; never throws. */
@Injectable()
export class Answerer {
  /** Of models that turned out to read less than was known of them: the tokens of a prompt; by tenant and model. */
  private readonly learned = new LRUCache<string, number>({ max: MODELS_REMEMBERED, ttl: REMEMBERED_MS });

  constructor(
    private readonly models: ModelsService,
    private readonly presets: PresetsService,
    private readonly context: RunContext,
    private readonly publisher: RunPublisher,
    private readonly runs: RunsRepository,
    private readonly log: Log,
  ) {}

  /** @param signal aborts when the run is this worker's no longer, or the server stops */
  async answer(live: LiveRun, question: Question, signal: AbortSignal): Promise<RunOutcome> {
    let asking: Asking | undefined;
    const either = AbortSignal.any([signal, live.abort.signal]);
    try {
      asking = await retryWhileAway(either, () => this.asking(live, question));
      live.keepsReasoning = asking.preset.keepReasoning;
      // It was deleted a moment ago.
      if (asking.messages.at(-1)?.seq !== live.replyToSeq) return STOPPED;
      asking.bound = await this.reserve(live, question, asking, either);
      live.isBound = asking.bound !== undefined;
      return await this.streamWhatFits(live, asking, either);
    } catch (error) {
      return either.aborted ? stopped(live, asking) : this.failed(live, asking, error);
    } finally {
      this.context.release(live);
    }
  }

  /** What an answer has used whose worker died: by its prompt, as far as that is still there. */
  async usageOfLost(live: LiveRun, question: Question): Promise<ModelUsage | undefined> {
    if (live.count === 0) return undefined;
    return countUsage((await this.asking(live, question)).told, live.text);
  }

  private async asking(live: LiveRun, question: Question): Promise<Asking> {
    const { tenantId } = live.ref;
    const { preset: name, options: asked, agent } = question;
    const { instructions, previous: _previous, ...own } = asked;
    const preset = await this.preset(tenantId, name);
    const systemPrompt = systemPromptOf(preset, instructions);
    const options = { ...preset.options, ...own };
    const window = await this.models.contextTokens(tenantId, options.model);
    const limit = Math.max(1, preset.contextMessages);
    const logged = await this.context.read(live, question, limit);
    const messages = await this.models.weighed(tenantId, options.model, logged);
    const most = Math.min(mostTold(preset, options, window), this.learned.get(keyOf(tenantId, options)) ?? Infinity);
    const prompt = agent === undefined ? systemPrompt : agentPrompt(systemPrompt, agent, messages);
    const told = contextOf(prompt, messages, most);
    return { preset, prompt, options, messages, told, bound: undefined, spent: undefined };
  }

  private async reserve(
    { ref: { tenantId, chatId, runId } }: LiveRun,
    { userId }: Question,
    { told, options: { maxTokens, model } }: Asking,
    signal: AbortSignal,
  ): Promise<TokenReservation | undefined> {
    const contextTokens = countUsage(told, '').promptTokens;
    const prices = await retryWhileAway(signal, () => this.models.dearestPrices(tenantId, model));
    return this.runs.reserve({ tenantId, chatId, chargeId: runId, userId, contextTokens, maxTokens, prices }, signal);
  }

  /** A preset that was deleted since answers as the default one. */
  private async preset(tenantId: string, name: string): Promise<Preset> {
    const found =
      (await this.presets.findPreset(tenantId, name)) ?? (await this.presets.findPreset(tenantId, 'default'));
    if (found === undefined) throw new Error('there is no default preset');
    return found;
  }

  /**
   * A model that can read less than was known of it is asked once more, with half; and the next time no more than that, so
   * that a chat which grows is not refused again and again.
   */
  private async streamWhatFits(live: LiveRun, asking: Asking, signal: AbortSignal): Promise<RunOutcome> {
    try {
      return await this.stream(live, asking, signal);
    } catch (error) {
      if (signal.aborted || hasChannel(live) || faultReasonOf(error) !== 'overflow') throw error;
      const half = this.halved(live, asking);
      asking.told = contextOf(asking.prompt, asking.messages, half);
    }
    try {
      return await this.stream(live, asking, signal);
    } catch (error) {
      if (!hasChannel(live) && faultReasonOf(error) === 'overflow') this.halved(live, asking);
      throw error;
    }
  }

  private halved({ ref: { tenantId } }: LiveRun, { told, options }: Asking): number {
    const half = Math.max(LEAST_TOLD, halfOf(told));
    this.learned.set(keyOf(tenantId, options), half);
    return half;
  }

  private async stream(live: LiveRun, asking: Asking, signal: AbortSignal): Promise<RunOutcome> {
    const { tenantId, chatId, runId } = live.ref;
    const parts = this.models.streamAnswer({
      ...asking.options,
      tenantId,
      messages: asking.told,
      isModelFree: asking.options.model !== asking.preset.options.model,
      trace: { requestId: live.requestId, chatId, messageId: runId },
      bound: asking.bound,
      spentBefore: asking.spent,
      pricedOnly: asking.bound?.pricedOnly,
      onSpent: (usage) => (asking.spent = usage),
      signal,
    });
    for await (const part of parts) {
      signal.throwIfAborted();
      if (part.type === 'start') {
        live.channel = part.channel;
        live.model = part.model;
        live.imagesLeftOut = leftOutOf(asking, part.imagesLeftOut);
        this.begin(live);
      } else if (part.type === 'reasoning') {
        this.begin(live);
        // Members of a room of people are told what an agent says.
        if (live.agent === undefined) this.publisher.thinks(live, part.text);
      } else if (part.type === 'delta') {
        if (part.text === '') continue;
        live.add(part.text);
        this.publisher.grown(live);
      } else return completed(live, asking, part);
    }
    throw new Error('the stream of a model had no end');
  }

  private begin(live: LiveRun): void {
    if (live.begun) return;
    live.begun = true;
    this.publisher.started(live);
  }

  private failed(live: LiveRun, asking: Asking | undefined, error: unknown): RunOutcome {
    const isExpected = error instanceof AppError;
    if (!isExpected)
      this.log.error(
        { run_id: live.ref.runId, tenant_id: live.ref.tenantId, error: describeError(error) },
        'run failed',
      );
    const status = live.count === 0 ? 'failed' : 'interrupted';
    return { status, finishReason: 'error', usage: usageOf(live, asking), failure: failureOf(error) };
  }
}

/** It answers: no other is asked any more. */
function hasChannel({ channel }: LiveRun): boolean {
  return channel !== undefined;
}

/** Places for images in the question that the model was shown none of. @param hidden of those that are here */
function leftOutOf({ messages }: Asking, hidden = 0): number {
  const { content = '', images = [] } = messages.at(-1) ?? {};
  if (!content.includes(IMAGE_PLACE)) return 0;
  return Math.max(0, imagePlacesIn(content) - images.length) + hidden;
}

function keyOf(tenantId: string, { model = '' }: AnswerOptions): string {
  return `${tenantId}/${model}`;
}

/** An answer that its budget has ended before its first word is none. */
function completed(live: LiveRun, { bound }: Asking, part: Extract<ModelPart, { type: 'end' }>): RunOutcome {
  const { finishReason, usage } = part;
  const spent = finishReason === 'budget' && live.count === 0 ? bound?.spent : undefined;
  if (spent === undefined) return { status: 'completed', finishReason, usage };
  return { status: 'failed', finishReason, usage, failure: budgetFailure(spent) };
}

/** Stopped by a user (`cancelled`), or cut off: the server stops, or another worker has the run by now. */
function stopped(live: LiveRun, asking: Asking | undefined): RunOutcome {
  const status = live.abort.signal.reason === 'cancelled' ? 'cancelled' : 'interrupted';
  return { status, finishReason: 'stopped', usage: usageOf(live, asking) };
}

/** What an answer without an end has used: as its model says, else counted. */
function usageOf(live: LiveRun, asking: Asking | undefined): ModelUsage | undefined {
  return asking?.spent ?? (live.begun ? countUsage(asking?.told ?? [], live.text) : undefined);
}

function failureOf(error: unknown): RunFailure {
  if (error instanceof AppError && isExpected(error.code))
    return {
      code: error.code,
      message: error.message,
      reason: faultReasonOf(error),
      retryAfterSeconds: error.retryAfterSeconds,
    };
  return { code: 'INTERNAL_ERROR', message: 'The answer could not be written' };
}

const TOLD = ['MODEL_ERROR', 'CHANNEL_UNAVAILABLE', 'QUOTA_EXCEEDED'] as const;

function isExpected(code: string): code is (typeof TOLD)[number] {
  return (TOLD as readonly string[]).includes(code);
}

/**
 * The prompt of a chat. Whatever the log holds (failed and stopped answers, deleted messages, a window that
 * begins anywhere), it begins with a user's message after the system prompt, users and assistant take turns, and it ends
 * with the message that is answered, which is never left out: providers refuse anything else.
 */

/** Kept free for the answer where no option says how long it may be. */
const ANSWER_TOKENS = 1024;
/** What a provider adds to each message, and what joins two. */
const TOKENS_PER_MESSAGE = 4;
/** The least that is left of a message that is cut; a shorter piece says nothing. */
const SMALLEST_PIECE = 64;

function tokensOf(text: string): number {
  return estimateTokens(Buffer.byteLength(text));
}

/** What a prompt needs of a message. */
export type PromptMessage = Pick<LoggedMessage, 'kind' | 'content'> & Pick<ModelMessage, 'images'>;

/** The most tokens of a prompt for a model that reads `window`. */
export function mostTold(preset: Preset, { maxTokens }: AnswerOptions, window: number): number {
  const free = Math.min(maxTokens ?? ANSWER_TOKENS, Math.floor(window / 2));
  return Math.min(window - free, preset.contextTokens ?? Infinity);
}

/** The system prompt of a preset, and what a request adds to it. */
export function systemPromptOf({ systemPrompt }: Preset, instructions = ''): string {
  return [systemPrompt, instructions].filter((text) => text !== '').join(BETWEEN_MESSAGES);
}

/** Half of the prompt's tokens, for a model that can read less than was known of it. */
export function halfOf(told: readonly ModelMessage[]): number {
  return Math.floor(told.reduce((sum, message) => sum + costOf(message), 0) / 2);
}

/**
 * The system prompt, and of the messages the newest that fit. One that is giant (more than a quarter of the room) is cut in
 * its middle, and says so, rather than that it or what lies before it is left out.
 * @param messages in order, the one that is answered last; deleted messages, and answers to them, are not among them
 */
export function contextOf(systemPrompt: string, messages: readonly PromptMessage[], most: number): ModelMessage[] {
  const system: ModelMessage[] = systemPrompt === '' ? [] : [{ role: 'system', content: systemPrompt }];
  const room = most - system.reduce((sum, message) => sum + costOf(message), 0);
  const fitting = newest(messages.filter(isTold), room);
  const begin = fitting.findIndex(({ role }) => role === 'user');
  return [...system, ...joinNeighbours(fitting.slice(begin))];
}

function isTold({ kind, content }: PromptMessage, i: number, all: readonly PromptMessage[]): boolean {
  return i === all.length - 1 || (kind !== 'system' && content.trim() !== '');
}

function newest(messages: readonly PromptMessage[], room: number): ModelMessage[] {
  const told: ModelMessage[] = [];
  let left = room;
  let older = messages.reduce((sum, message) => sum + costOf(message), 0);
  for (const message of [...messages].reverse()) {
    const { kind, content, images } = message;
    const isAsked = told.length === 0;
    // What is asked is said whatever is shown with it: its images lessen what the older ones get.
    const shown = isAsked ? 0 : imageTokens(message);
    const cost = tokensOf(content) + shown + TOKENS_PER_MESSAGE;
    older -= costOf(message);
    // As much as the older ones leave, and at least a share of what is there.
    const share = Math.max(left - older, Math.floor(isAsked ? (left * 3) / 4 : left / 2));
    const isCut = isAsked ? cost > left : cost > share && cost > room / 4;
    const most = isCut ? share : left;
    if (!isAsked && (isCut ? most < SMALLEST_PIECE : cost > most)) break;
    const free = most - shown;
    const piece = isCut ? cutInTheMiddle(content, Math.max(free, SMALLEST_PIECE) - TOKENS_PER_MESSAGE) : content;
    const role = kind === 'assistant' ? 'assistant' : 'user';
    told.push(images === undefined ? { role, content: piece } : { role, content: piece, images });
    left -= costOf({ content: piece, images });
  }
  return told.reverse();
}

function costOf(message: Pick<ModelMessage, 'content' | 'images'>): number {
  return tokensOf(message.content) + imageTokens(message) + TOKENS_PER_MESSAGE;
}

/** A text's beginning and end in at most so many tokens, and between them how much is missing. */
function cutInTheMiddle(text: string, tokens: number): string {
  const bytes = Buffer.from(text);
  const note = (missing: number): string => `\n[… ${missing} characters were left out here …]\n`;
  const half = Math.floor((tokens * 4 - Buffer.byteLength(note(text.length))) / 2);
  if (2 * half >= bytes.length) return text;
  const head = bytes.subarray(0, boundary(bytes, half, -1)).toString();
  const tail = bytes.subarray(boundary(bytes, bytes.length - half, 1)).toString();
  return head + note(text.length - head.length - tail.length) + tail;
}

/** The nearest place in this direction that is not within a character. */
function boundary(utf8: Buffer, at: number, step: 1 | -1): number {
  let place = at;
  while (place > 0 && place < utf8.length && ((utf8[place] ?? 0) & 0xc0) === 0x80) place += step;
  return place;
}

/** What an answer cost where the model did not say: both sides counted. */
export function countUsage(told: readonly ModelMessage[], answer: string): ModelUsage {
  const promptTokens = told.reduce((sum, message) => sum + tokensOf(message.content) + imageTokens(message), 0);
  const completionTokens = tokensOf(answer);
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, estimated: true };
}

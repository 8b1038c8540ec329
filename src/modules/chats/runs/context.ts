import type { LoggedMessage } from '../../messages';
import { type AnswerOptions, estimateTokens, type ModelMessage, type ModelUsage, type Preset } from '../../models';

/**
 * What a model is told of a chat. Whatever the log holds (failed and stopped answers, deleted messages, a window that
 * begins anywhere), it begins with a user's message after the system prompt, users and assistant take turns, and it ends
 * with the message that is answered, which is never left out: providers refuse anything else.
 */

/** Kept free for the answer where nobody said how long it may be. */
const ANSWER_TOKENS = 1024;
/** What a provider adds to each message, and what joins two. */
const TOKENS_PER_MESSAGE = 4;
/** The least that is left of a message that is cut; a shorter piece says nothing. */
const SMALLEST_PIECE = 64;
const BETWEEN = '\n\n';

function tokensOf(text: string): number {
  return estimateTokens(Buffer.byteLength(text));
}

/** How many tokens a model that reads `window` may be told. */
export function mostTold(preset: Preset, { maxTokens }: AnswerOptions, window: number): number {
  const free = Math.min(maxTokens ?? ANSWER_TOKENS, Math.floor(window / 2));
  return Math.min(window - free, preset.contextTokens ?? Infinity);
}

/** Half of what was told, for a model that can read less than was known of it. */
export function halfOf(told: readonly ModelMessage[]): number {
  return Math.floor(told.reduce((sum, { content }) => sum + costOf(content), 0) / 2);
}

/**
 * The system prompt, and of the messages the newest that fit. One that is giant (more than a quarter of the room) is cut in
 * its middle, and says so, rather than that it or what lies before it is left out.
 * @param messages in order, the one that is answered last; deleted messages, and answers to them, are not among them
 */
export function contextOf(systemPrompt: string, messages: readonly LoggedMessage[], most: number): ModelMessage[] {
  const system: ModelMessage[] = systemPrompt === '' ? [] : [{ role: 'system', content: systemPrompt }];
  const room = most - system.reduce((sum, { content }) => sum + costOf(content), 0);
  const fitting = newest(messages.filter(isTold), room);
  const begin = fitting.findIndex(({ role }) => role === 'user');
  return [...system, ...joined(fitting.slice(begin))];
}

function isTold({ kind, content }: LoggedMessage, i: number, all: readonly LoggedMessage[]): boolean {
  return i === all.length - 1 || (kind !== 'system' && content.trim() !== '');
}

function newest(messages: readonly LoggedMessage[], room: number): ModelMessage[] {
  const told: ModelMessage[] = [];
  let left = room;
  let older = messages.reduce((sum, { content }) => sum + costOf(content), 0);
  for (const { kind, content } of [...messages].reverse()) {
    const cost = costOf(content);
    older -= cost;
    const isAsked = told.length === 0;
    // As much as the older ones leave, and at least a share of what is there.
    const share = Math.max(left - older, Math.floor(isAsked ? (left * 3) / 4 : left / 2));
    const isCut = isAsked ? cost > left : cost > share && cost > room / 4;
    const most = isCut ? share : left;
    if (!isAsked && (isCut ? most < SMALLEST_PIECE : cost > most)) break;
    const piece = isCut ? cutInTheMiddle(content, Math.max(most, SMALLEST_PIECE) - TOKENS_PER_MESSAGE) : content;
    told.push({ role: kind === 'assistant' ? 'assistant' : 'user', content: piece });
    left -= costOf(piece);
  }
  return told.reverse();
}

function costOf(content: string): number {
  return tokensOf(content) + TOKENS_PER_MESSAGE;
}

/** Neighbours of one role become one message. */
function joined(messages: readonly ModelMessage[]): ModelMessage[] {
  const told: ModelMessage[] = [];
  for (const message of messages) {
    const last = told.at(-1);
    if (last?.role !== message.role) told.push(message);
    else told[told.length - 1] = { ...last, content: last.content + BETWEEN + message.content };
  }
  return told;
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
  const promptTokens = told.reduce((sum, message) => sum + tokensOf(message.content), 0);
  const completionTokens = tokensOf(answer);
  return { promptTokens, completionTokens, totalTokens: promptTokens + completionTokens, estimated: true };
}

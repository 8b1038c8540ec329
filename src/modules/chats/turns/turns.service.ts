import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppError, isUnavailable, notFound } from '../../../common/errors';
import { decodeId, newUuid } from '../../../common/ids';
import { canonicalJson } from '../../../common/text';
import { type Caller, type LimitName, limitOf, settingOf, type TenantPolicy } from '../../../platform/auth';
import { Database } from '../../../platform/database';
import { Effects } from '../../../platform/idempotency';
import { Jobs } from '../../../platform/jobs';
import { AiWindow } from '../../../platform/rate-limit';
import {
  type AiTurn,
  AiTurns,
  bindingId,
  ChatLog,
  MessageWriter,
  metaText,
  type MessageDraft,
  type Stored,
} from '../../messages';
import { type AnswerOptions, checkedResponseFormat, type ModelImage, ModelsService } from '../../models';
import { type Again, budgetSpent, chatAnswerAgain, chatRevise } from '../chats.functions';
import { ChatsRepository, messageOf, messageStart } from '../chats/chats.repository';
import {
  type Chat,
  type ChatMessage,
  type NewTurn,
  type Origin,
  type Revision,
  type TurnOptions,
  type Turn,
} from '../contract';
import type { AnswerOptionsDto, CamelAnswerOptionsDto } from '../dto/answer-options.dto';
import { PromptImages } from '../runs/prompt-images';
import { RUN } from '../runs/run-worker';
import { RunsRepository } from '../runs/runs.repository';
import { ChatHub } from '../streams/chat-hub';
import { RunInterrupter, RunStopper } from './interrupts';

const BUDGETS = [
  'tokens_per_day',
  'cost_per_day',
  'tokens_per_user_per_day',
  'tokens_per_chat_per_day',
] as const satisfies readonly LimitName[];

/**
 * What a tenant, its users and chats may spend per day (UTC). Asked on every way a run begins: here before a message is
 * stored, by `chat_answer_again` before an answer is written anew, and when the run's turn comes, where what it may use
 * is reserved (`charge_reserve`).
 */
@Injectable()
export class TokenBudget {
  constructor(private readonly runs: RunsRepository) {}

  /**
   * Throws QUOTA_EXCEEDED where nothing is left. An answer that is under way is not counted: it may give back of what it holds
   * before the turn of this one comes.
   */
  async check(tenant: TenantPolicy, userId: string, chatId: string | undefined): Promise<void> {
    if (BUDGETS.every((name) => limitOf(tenant, name) === null)) return;
    const spent = await this.runs.budgetSpent(tenant.tenantId, userId, chatId ?? null);
    if (spent !== null) throw budgetSpent(spent);
  }
}

/** A turn with the run that it starts. */
interface OpenTurn extends AiTurn {
  readonly runId: string;
}

/**
 * What every message to a model passes, whichever API it came through: budgets, and what the tenant wants to happen while
 * an answer is written. What it means to `reject` is decided by the append, under the room's lock: two servers may take
 * messages of one chat at the same time.
 */
@Injectable()
export class TurnGate {
  constructor(
    private readonly budget: TokenBudget,
    private readonly window: AiWindow,
    private readonly chats: ChatsRepository,
    private readonly interrupter: RunInterrupter,
    private readonly jobs: Jobs,
    private readonly hub: ChatHub,
  ) {}

  /** A message that came by the Rooms API: it counts as a call of the AI APIs too. */
  async beginInRoom(caller: Caller, draft: MessageDraft): Promise<AiTurn> {
    const chat = await this.chats.find(draft.tenantId, draft.roomId);
    if (chat === undefined) throw notFound('Room');
    if (caller.tenant !== undefined) await this.window.takeAiRequest(caller.tenant);
    return this.begin(caller, draft, chat.user_id);
  }

  /** @param chatId undefined for one that is still to be made @throws 429 when a budget is spent */
  async admit({ tenant }: Caller, userId: string, chatId?: string): Promise<void> {
    if (tenant !== undefined) await this.budget.check(tenant, userId, chatId);
  }

  /** @throws 429 when a budget is spent */
  async begin(
    caller: Caller,
    draft: MessageDraft,
    userId: string,
    { origin, options }: { readonly origin?: Origin; readonly options?: TurnOptions | undefined } = {},
  ): Promise<OpenTurn> {
    const { tenantId, roomId: chatId } = draft;
    await this.admit(caller, userId, chatId);
    const mode = settingOf(caller.tenant, 'while_answering');
    const runId = newUuid();
    const asked = options === undefined ? {} : { options: JSON.stringify(options) };
    const payload = { run_id: runId, room_id: chatId, user_id: userId, request_id: caller.requestId, ...asked };
    return {
      runId,
      jobs: [{ kind: RUN.name, key: chatId, payload }],
      onlyIfFree: mode === 'reject',
      onStored: (stored) => {
        this.tell(draft, stored, runId, origin);
        this.jobs.wake();
        if (mode === 'interrupt') this.interrupter.before({ tenantId, chatId }, stored.seq);
      },
    };
  }

  private tell(draft: MessageDraft, stored: Stored, runId: string, origin: Origin | undefined): void {
    const { tenantId, roomId: chatId, clientMessageId } = draft;
    const news = { kind: 'message', message: messageStart(draft, stored), runId, clientMessageId } as const;
    this.hub.publish({ tenantId, chatId }, origin === undefined ? news : { ...news, origin });
  }
}

/** How a question that is answered once more is asked. */
type Showing = Pick<NewTurn, 'options' | 'images'>;

/** Answers what was asked before once more. */
@Injectable()
export class RunRetrier {
  constructor(
    private readonly database: Database,
    private readonly effects: Effects,
    private readonly messages: ChatLog,
    private readonly jobs: Jobs,
    private readonly images: PromptImages,
  ) {}

  /** Whether the message was stored before. */
  async isKnown({ tenantId, roomId, senderId, clientMessageId }: MessageDraft): Promise<boolean> {
    return clientMessageId !== null && (await this.messages.isBound(tenantId, roomId, senderId, clientMessageId));
  }

  /**
   * The run that answers a message which was stored before: a new one where the last has failed.
   * @throws 429 where that would be a new one and a budget is spent
   */
  ofMessage({ tenantId, chatId }: Chat, seq: number, { options, images }: Showing): Promise<string> {
    return this.shown(tenantId, images, async (runId) => {
      const result = await chatAnswerAgain.call(this.database, tenantId, {
        p_room: chatId,
        p_run: runId,
        p_seq: seq,
        p_options: options && JSON.stringify(options),
      });
      return this.runOf(tenantId, chatId, result);
    });
  }

  /** Answers the newest message anew. @throws 409 while an answer is written, or when nothing was asked; 429 */
  async last(caller: Caller, { tenantId, chatId }: Chat): Promise<Turn> {
    const result = await this.effects.call(caller, chatAnswerAgain, { p_room: chatId, p_run: newUuid() });
    if (result.status === 'nothing') throw new AppError('CONFLICT', 'There is no message to answer in this chat');
    const runId = this.runOf(tenantId, chatId, result);
    const asked = await this.messages.ofSeq(tenantId, chatId, result.seq ?? 0);
    if (asked === undefined) throw notFound('Message');
    return { message: messageOf(asked), runId, replayed: caller.replayed };
  }

  /** As `TurnsService.revise`. */
  revised(caller: Caller, chat: Chat, revision: Revision): Promise<string> {
    return this.shown(chat.tenantId, revision.images, (runId) => this.revise(caller, chat, revision, runId));
  }

  /** The images are there before the run may begin, and go where another one is joined. */
  private async shown(
    tenantId: string,
    images: readonly ModelImage[] = [],
    ask: (runId: string) => Promise<string>,
  ): Promise<string> {
    const runId = newUuid();
    this.images.hold(tenantId, runId, images);
    let begun: string | undefined;
    try {
      begun = await ask(runId);
      return begun;
    } finally {
      if (begun !== runId) this.images.release(runId);
    }
  }

  private async revise(
    caller: Caller,
    { tenantId, chatId }: Chat,
    { named, content }: Revision,
    runId: string,
  ): Promise<string> {
    const args = {
      p_room: chatId,
      p_run: runId,
      p_message: decodeId('message', named),
      p_client: named,
      p_content: content,
    };
    const result = await this.effects.call(caller, chatRevise, args);
    if (result.status === 'nothing') throw new AppError('CONFLICT', 'There is no message to answer in this chat');
    if (result.status === 'other')
      throw new AppError('CONFLICT', `Only the newest ${content === undefined ? 'answer' : 'question'} can be changed`);
    if (result.status === 'kept') caller.replayed = true;
    return this.runOf(tenantId, chatId, result);
  }

  private runOf(tenantId: string, chatId: string, result: Again): string {
    const { status, run_id: runId, changed } = result;
    if (runId === undefined) throw notFound('Message');
    if (status === 'ok') {
      this.messages.superseded(tenantId, chatId, changed ?? []);
      this.jobs.wake();
    }
    return runId;
  }
}

/** Turns that the Rooms API begins and ends. */
@Injectable()
export class RoomTurns extends AiTurns {
  constructor(
    private readonly gate: TurnGate,
    private readonly interrupter: RunInterrupter,
  ) {
    super();
  }

  begin(caller: Caller, draft: MessageDraft): Promise<AiTurn> {
    return this.gate.beginInRoom(caller, draft);
  }

  /** The caller does not wait for that. */
  cancelled(runIds: readonly string[]): void {
    this.interrupter.now(runIds);
  }
}

/** Turns through the APIs of the chats: what a user says, and what becomes of its answer. */
@Injectable()
export class TurnsService {
  constructor(
    private readonly writer: MessageWriter,
    private readonly models: ModelsService,
    private readonly gate: TurnGate,
    private readonly retrier: RunRetrier,
    private readonly stopper: RunStopper,
    private readonly images: PromptImages,
  ) {}

  /**
   * Throws what `send` would throw in a chat that is still to be made: 429 QUOTA_EXCEEDED, 503 CHANNEL_UNAVAILABLE. So
   * that no chat is made for a message that is refused.
   */
  async admit(caller: Caller, userId: string): Promise<void> {
    await this.models.available(caller.tenantId, undefined, needsPrices(caller));
    await this.gate.admit(caller, userId);
  }

  /**
   * Commits the message together with its queued run. A repeat (clientMessageId, or the call's Idempotency-Key) gets the
   * first turn again; where its answer failed, a new run answers it.
   * @throws 409 while an answer is written (setting `while_answering: reject`), 422 for another body, 429 QUOTA_EXCEEDED,
   *   503 CHANNEL_UNAVAILABLE before anything is stored
   */
  async send(caller: Caller, chat: Chat, input: NewTurn): Promise<Turn> {
    const draft = saidIn(caller, chat, input);
    const turn = await this.open(caller, chat, draft, input);
    const isBoundByKey = input.clientMessageId === undefined;
    const stored = await this.stored(caller, draft, turn, input.images, isBoundByKey);
    const message = messageStart(draft, stored);
    if (turn !== undefined && stored.status === 'new') return { message, runId: turn.runId, replayed: false };
    const runId = await this.retrier.ofMessage(chat, stored.seq, input);
    return { message, runId, replayed: stored.status === 'duplicate' };
  }

  /** The images are there before the run may begin. Where it is unknown whether it was stored, they are forgotten in time. */
  private async stored(
    caller: Caller,
    draft: MessageDraft,
    turn: OpenTurn | undefined,
    images: readonly ModelImage[] = [],
    isBoundByKey: boolean,
  ): Promise<Stored> {
    if (turn === undefined || images.length === 0) return this.writer.say(caller, draft, isBoundByKey, turn);
    this.images.hold(draft.tenantId, turn.runId, images);
    try {
      const stored = await this.writer.say(caller, draft, isBoundByKey, turn);
      if (stored.status !== 'new') this.images.release(turn.runId);
      return stored;
    } catch (error) {
      if (!isUnknown(error)) this.images.release(turn.runId);
      throw error;
    }
  }

  /**
   * Writes the last answer anew, with the options of the last one: that becomes `superseded`. @throws 409 while an answer
   * is written or when there is nothing to answer, 429 QUOTA_EXCEEDED
   */
  regenerate(caller: Caller, chat: Chat): Promise<Turn> {
    return this.retrier.last(caller, chat);
  }

  /**
   * Answers the newest question anew for a client that says what it means: the question, which becomes another text, or one
   * of its answers. Who repeats the call while that answer is under way joins it.
   * @returns the run
   * @throws 409 where what is named is not the newest, or another answer is written; 429 QUOTA_EXCEEDED, 503
   *   CHANNEL_UNAVAILABLE, before anything has changed
   */
  async revise(caller: Caller, chat: Chat, revision: Revision): Promise<string> {
    await this.models.available(chat.tenantId);
    return this.retrier.revised(caller, chat, revision);
  }

  /** Ends the chat's running and waiting answers, their text so far is kept; resolves when they are stored. */
  stop(caller: Caller, chat: Chat): Promise<readonly ChatMessage[]> {
    return this.stopper.all(caller, chat);
  }

  /** Ends one answer, running or waiting; resolves when its text so far is stored, at once where it was over. */
  stopOne(caller: Caller, chat: Chat, runId: string): Promise<readonly ChatMessage[]> {
    return this.stopper.one(caller, chat, runId);
  }

  /** What is stored already is answered whatever the limits say by now: then there is no turn. */
  private async open(caller: Caller, chat: Chat, draft: MessageDraft, input: NewTurn): Promise<OpenTurn | undefined> {
    try {
      await this.models.available(chat.tenantId, undefined, needsPrices(caller));
      return await this.gate.begin(caller, draft, chat.userId, input);
    } catch (error) {
      if (await this.retrier.isKnown(draft)) return undefined;
      throw error;
    }
  }
}

/** Whether what was wanted may have been done all the same. */
function isUnknown(error: unknown): boolean {
  return isUnavailable(error) && error.details?.['outcome'] === 'unknown';
}

/** Whether only channels with prices may answer: there is a budget of money. */
function needsPrices({ tenant }: Caller): boolean {
  return tenant !== undefined && limitOf(tenant, 'cost_per_day') !== null;
}

function saidIn(caller: Caller, { tenantId, chatId, userId }: Chat, input: NewTurn): MessageDraft {
  return {
    tenantId,
    roomId: chatId,
    messageId: newUuid(),
    senderId: userId,
    content: input.content,
    metaText: metaText(input.metadata),
    clientMessageId: bindingId(caller, input.clientMessageId),
    ...alsoEqual(input),
  };
}

/** What a repeat must say as well. Of images a digest is kept, in that of the whole. */
function alsoEqual({ options, images = [] }: NewTurn): Pick<MessageDraft, 'alsoEqual'> {
  if (images.length === 0) return options === undefined ? {} : { alsoEqual: canonicalJson(options) };
  const digests = images.map(({ base64 }) => createHash('sha256').update(base64).digest('hex'));
  return { alsoEqual: canonicalJson({ options: options ?? null, images: digests }) };
}

/** What a body says of how the answer is wanted; undefined: nothing. @throws 403 for users, who get what a preset says */
export function answerOptions(caller: Caller, body: AnswerOptionsDto): AnswerOptions | undefined {
  const { top_p, max_tokens, reasoning_effort, response_format } = body;
  const { model, temperature, stop, seed } = body;
  refuseUsers(caller, { model, temperature, top_p, max_tokens, stop, reasoning_effort, response_format, seed });
  return given({
    ...{ model, temperature, topP: top_p, maxTokens: max_tokens, stop, reasoningEffort: reasoning_effort, seed },
    responseFormat: response_format && checkedResponseFormat(response_format, 'response_format'),
  });
}

/** The same of a body of the Conversations API. */
export function camelAnswerOptions(caller: Caller, body: CamelAnswerOptionsDto): AnswerOptions | undefined {
  const { model, temperature, topP, maxTokens, stop, reasoningEffort, responseFormat, seed } = body;
  refuseUsers(caller, { model, temperature, topP, maxTokens, stop, reasoningEffort, responseFormat, seed });
  return given({
    ...{ model, temperature, topP, maxTokens, stop, reasoningEffort, seed },
    responseFormat: responseFormat && checkedResponseFormat(responseFormat, 'responseFormat'),
  });
}

function refuseUsers({ kind }: Caller, fields: Readonly<Record<string, unknown>>): void {
  if (kind === 'key') return;
  const [field] = Object.entries(fields).find(([, value]) => value !== undefined) ?? [];
  if (field !== undefined)
    throw new AppError('AUTHORIZATION_ERROR', `Only API keys may set ${field}: leave it out`, { field });
}

function given(options: AnswerOptions): AnswerOptions | undefined {
  const set = Object.entries(options).filter(([, value]) => value !== undefined);
  return set.length === 0 ? undefined : Object.fromEntries(set);
}

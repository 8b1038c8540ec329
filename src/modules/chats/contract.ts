import type { Caller } from '../../platform/auth';
import type { PageRequest } from '../../common/limits';
import type { AnswerOptions, FaultReason, FinishReason } from '../models';

/** A chat with a model: a room of type `ai` and what belongs to it beyond a room. */
export interface Chat {
  /** Dashed UUIDs. */
  readonly tenantId: string;
  readonly chatId: string;
  /** Who talks with the model; the one human member of the room. */
  readonly userId: string;
  readonly groupId: string | null;
  /** Name of the preset; the assistant's `sender_id` is `agent_<preset>`. */
  readonly preset: string;
  readonly title: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastMessageAt: Date | null;
  /** Messages of the chat, tombstones included. */
  readonly messageCount: number;
}

export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** The model reported nothing; the tokens were counted here. */
  readonly estimated: boolean;
}

export type MessageStatus = 'completed' | 'cancelled' | 'interrupted' | 'failed' | 'superseded';

/** A message of a chat, from either side. */
export interface ChatMessage {
  /** Dashed UUID. Of an answer it is the run's id, known before the answer is stored. */
  readonly messageId: string;
  readonly seq: number;
  readonly role: 'user' | 'assistant' | 'system';
  readonly senderId: string;
  readonly content: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** `completed` for what users say. */
  readonly status: MessageStatus;
  /** Of an answer: the user's message that it answers. */
  readonly replyToSeq: number | null;
  readonly usage: TokenUsage | null;
  readonly finishReason: FinishReason | 'stopped' | 'error' | null;
  readonly createdAt: Date;
  readonly deletedAt: Date | null;
}

/** Why a run ended badly, as a client is told. */
export interface RunFailure {
  readonly code: 'MODEL_ERROR' | 'CHANNEL_UNAVAILABLE' | 'QUOTA_EXCEEDED' | 'INTERNAL_ERROR';
  readonly message: string;
  /** What a model's fault is about: says what to do. */
  readonly reason?: FaultReason | undefined;
  /** Seconds until asking again makes sense, where somebody has said so. */
  readonly retryAfterSeconds?: number | undefined;
}

/** Who sent a message over a socket of /ws/chat: that connection's `message_received` carries the request id. */
export interface Origin {
  readonly connectionId: string;
  readonly requestId: string | undefined;
}

/**
 * What happens in a chat, in order. Of one run: `started`, `tokens`…, `ended`; `tokens` follow what `started` says the
 * watcher has (`afterIndex`, −1: nothing) without a gap or an overlap, `index` being that of the last token in `text`.
 * A run that fails or is stopped before its first token has no `started`, but for a watcher who says that it has some.
 */
export type ChatEvent =
  | {
      readonly type: 'message';
      readonly message: ChatMessage;
      readonly clientMessageId: string | null;
      readonly origin?: Origin;
    }
  | { readonly type: 'started'; readonly runId: string; readonly afterIndex: number }
  | { readonly type: 'tokens'; readonly runId: string; readonly text: string; readonly index: number }
  | { readonly type: 'ended'; readonly runId: string; readonly answer: ChatMessage; readonly failure?: RunFailure }
  /** The chat was deleted; nothing follows. */
  | { readonly type: 'deleted' };

/**
 * The index of a run's end for a reader who has it: beyond that of any token. The number of tokens would not do: a reader
 * may have been shown one token more than a crash left.
 */
export const END_INDEX = 2_147_483_647;

/** Called in order, in the turn in which it happens; neither throws nor waits. */
export type ChatWatcher = (event: ChatEvent) => void;

export type Unwatch = () => void;

export interface NewChat {
  readonly userId: string;
  readonly groupId?: string | undefined;
  readonly preset?: string | undefined;
  /** Unset: one is made, and becomes a short form of the first message after the first exchange. */
  readonly title?: string | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

export interface ChatFilter {
  readonly userId?: string | undefined;
  readonly groupId?: string | undefined;
  /** By creation for `created`, by the last activity for `active`. */
  readonly by: 'created' | 'active';
  readonly order: 'asc' | 'desc';
}

/**
 * Chats. A caller with a user (a token, or a key with X-User-Id) sees that user's chats, another's are 403; a key
 * without a user sees all of its tenant. Another tenant's chat, and one that does not exist, is 404 (NOT_FOUND).
 */
export abstract class Chats {
  /**
   * @param chatId UUID of the new chat, for the demo data; otherwise a new one
   * @throws 403 for a chat of another user, 400 (field `preset`) for an unknown preset
   */
  abstract create(caller: Caller, input: NewChat, chatId?: string): Promise<Chat>;
  /**
   * The active conversation of (tenant, user, group, preset); undefined: there is none. Throws what `create` throws.
   */
  abstract current(caller: Caller, input: Pick<NewChat, 'userId' | 'groupId' | 'preset'>): Promise<Chat | undefined>;
  /** The same, made when there is none; racing calls get the same one. */
  abstract active(caller: Caller, input: Pick<NewChat, 'userId' | 'groupId' | 'preset'>): Promise<Chat>;
  /** @param chatId dashed UUID, or undefined for an id that is malformed (404) */
  abstract get(caller: Caller, chatId: string | undefined): Promise<Chat>;
  /** Narrowed to the caller's user, if any; @throws 403 when the filter names another one. */
  abstract list(caller: Caller, filter: ChatFilter, page: PageRequest): Promise<{ chats: Chat[]; total: number }>;
  /** The beginning of what was said last in each of these chats, by chatId; missing where nothing was. */
  abstract lastMessages(chats: readonly Chat[]): Promise<ReadonlyMap<string, MessageStart>>;
  /** How many answers without a word each of these chats has, by chatId; missing where there are none. */
  abstract silent(chats: readonly Chat[]): Promise<ReadonlyMap<string, number>>;
  /** Presets of these chats that were deleted since: they are answered as `default` is. */
  abstract goneOf(chats: readonly Chat[]): Promise<ReadonlySet<string>>;
  /** Metadata is merged by top-level key, null removes one. */
  abstract update(
    caller: Caller,
    chat: Chat,
    change: { readonly title?: string | undefined; readonly metadata?: Record<string, unknown> | undefined },
  ): Promise<Chat>;
  /** Ends running answers and deletes softly; deleting again is 404. */
  abstract delete(caller: Caller, chat: Chat): Promise<void>;
  /** The model no longer sees what lies before this moment; history stays readable. */
  abstract clear(caller: Caller, chat: Chat): Promise<void>;
  /** A page in order of seq ascending; `desc` takes it from the newest end and gives it newest first. */
  abstract messages(
    chat: Chat,
    order: 'asc' | 'desc',
    page: PageRequest,
  ): Promise<{ messages: ChatMessage[]; total: number }>;
  /**
   * The newest of what was said, newest first, and how much there is: an answer without a word (it failed, or was stopped
   * before its first token) is no turn of a conversation.
   */
  abstract turns(chat: Chat, page: PageRequest): Promise<{ messages: ChatMessage[]; total: number }>;
}

/** How a message begins, as lists show it. */
export interface MessageStart {
  readonly text: string;
  /** There is more of it. */
  readonly truncated: boolean;
}

export interface NewTurn {
  readonly content: string;
  /** An object, or JSON text that holds one. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly clientMessageId?: string | undefined;
  /** How the answer is wanted, before what the preset says. A repeat must name the same. */
  readonly options?: AnswerOptions | undefined;
  readonly origin?: Origin;
}

/** A user's message that is committed, and the run that answers it. */
export interface Turn {
  readonly message: ChatMessage;
  /** Also the id of the answer's message. */
  readonly runId: string;
  /** The message had been stored before: nothing was stored now. `caller.replayed` is set too. */
  readonly replayed: boolean;
}

/** Turns: what a user says, and what becomes of its answer. */
export abstract class Turns {
  /**
   * Throws what `send` would throw in a chat that is still to be made: 429 QUOTA_EXCEEDED, 503 CHANNEL_UNAVAILABLE. So
   * that no chat is made for a message that is refused.
   */
  abstract admit(caller: Caller, userId: string): Promise<void>;
  /**
   * Commits the message together with its queued run. A repeat (clientMessageId, or the call's Idempotency-Key) gets the
   * first turn again; where its answer failed, a new run answers it.
   * @throws 409 while an answer is written (setting `while_answering: reject`), 422 for another body, 429 QUOTA_EXCEEDED,
   *   503 CHANNEL_UNAVAILABLE before anything is stored
   */
  abstract send(caller: Caller, chat: Chat, input: NewTurn): Promise<Turn>;
  /**
   * Writes the last answer anew, with the options of the last one: that becomes `superseded`. @throws 409 while an answer
   * is written or when there is nothing to answer, 429 QUOTA_EXCEEDED
   */
  abstract regenerate(caller: Caller, chat: Chat): Promise<Turn>;
  /** Ends the chat's running and waiting answers, their text so far is kept; resolves when they are stored. */
  abstract stop(caller: Caller, chat: Chat): Promise<readonly ChatMessage[]>;
}

/** Following what happens in chats, on any node. */
export abstract class ChatStreams {
  /**
   * Everything in a chat from now on; first, before it resolves, a running answer from its beginning.
   * @param resume instead of the beginning: that run after that index. One that has ended is given to its end.
   */
  abstract watch(
    chat: Pick<Chat, 'tenantId' | 'chatId'>,
    watcher: ChatWatcher,
    resume?: { readonly runId: string; readonly afterIndex: number },
  ): Promise<Unwatch>;

  /**
   * One run: queued, running or ended. Its `started`, `tokens`, `ended` and nothing else; after `ended` nothing follows
   * and nothing needs to be unwatched. When the index is not one that the run has had, or its tokens are kept no longer
   * (an hour after its end), it is given from its beginning.
   * @throws 404 for a run that the chat does not have
   */
  abstract follow(
    chat: Pick<Chat, 'tenantId' | 'chatId'>,
    runId: string,
    afterIndex: number,
    watcher: ChatWatcher,
  ): Promise<Unwatch>;

  /** The run that is being answered now, if any, else the oldest one that waits. */
  abstract running(chat: Pick<Chat, 'tenantId' | 'chatId'>): Promise<string | undefined>;

  /**
   * Whether a reader who has a run, ended or not, up to this index is missing anything of it: tokens, its end
   * (`END_INDEX`), or that tokens of theirs were lost. False: no such run.
   */
  abstract hasAfter(chat: Pick<Chat, 'tenantId' | 'chatId'>, runId: string, afterIndex: number): Promise<boolean>;
}

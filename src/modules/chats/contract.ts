import { MAX_EXTERNAL_CHAT_ID } from '../../common/limits';
import type { AnswerOptions, FaultReason, FinishReason, ModelImage } from '../models';

/** What a user's own client may call a chat. */
export const EXTERNAL_CHAT_ID = new RegExp(`^[A-Za-z0-9_-]{1,${MAX_EXTERNAL_CHAT_ID}}$`);

/** A chat with a model: a room of type `ai` and what belongs to it beyond a room. */
export interface Chat {
  /** Dashed UUIDs. */
  readonly tenantId: string;
  readonly chatId: string;
  /** The user that talks with the model: the one human member of the room. */
  readonly userId: string;
  readonly groupId: string | null;
  /** Name of the preset; the assistant's `sender_id` is `agent_<preset>`. */
  readonly preset: string;
  /** What the user's own client calls it; null: nothing. */
  readonly externalId: string | null;
  readonly title: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastMessageAt: Date | null;
  /** Messages of the chat, tombstones included. */
  readonly messageCount: number;
  /** Of its newest message when it was read; 0: it has had none. */
  readonly lastSeq: number;
}

export interface TokenUsage {
  readonly promptTokens: number;
  /** Of these, the ones that the provider had in its cache; unset: it says nothing of a cache. */
  readonly cachedPromptTokens?: number | undefined;
  readonly completionTokens: number;
  readonly totalTokens: number;
  /** The model reported nothing; the tokens were counted here. */
  readonly estimated: boolean;
  /** By the channel's prices; for budgets and the figures of usage, and told to no client of a chat. */
  readonly cost?: number | undefined;
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
  /** What the model thought, where that was kept. */
  readonly reasoning?: string | undefined;
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
  readonly code: 'MODEL_ERROR' | 'CHANNEL_UNAVAILABLE' | 'QUOTA_EXCEEDED' | 'RATE_LIMIT_EXCEEDED' | 'INTERNAL_ERROR';
  readonly message: string;
  /** What a model's fault is about: says what to do. */
  readonly reason?: FaultReason | undefined;
  /** Seconds until asking again makes sense, where a provider or a channel has said so. */
  readonly retryAfterSeconds?: number | undefined;
}

/** The connection of /ws/chat that sent a message: its `message_received` carries the request id. */
export interface Origin {
  readonly connectionId: string;
  readonly requestId: string | undefined;
}

/**
 * What happens in a chat, in order. Of one run: `started`, `tokens`…, `ended`; `tokens` follow what `started` says the
 * watcher has (`afterIndex`, −1: nothing) without a gap or an overlap, `index` being that of the last token in `text`.
 * A run that fails or is stopped before its first token has no `started`, but for a watcher that says that it has some, and
 * where its model has thought aloud. `reasoning`, between `started` and `ended`, is a piece of that, in its place among the tokens:
 * only what is thought while the watcher watches, and nothing that a node has lost.
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
  | { readonly type: 'reasoning'; readonly runId: string; readonly text: string }
  | { readonly type: 'ended'; readonly runId: string; readonly answer: ChatMessage; readonly failure?: RunFailure }
  /** The chat was deleted; nothing follows. */
  | { readonly type: 'deleted' };

/**
 * The index of a run's end for a reader that has it: beyond that of any token. The number of tokens would not do: a reader
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

/** How a message begins, as lists show it. */
export interface MessageStart {
  readonly text: string;
  /** There is more of it. */
  readonly truncated: boolean;
}

/** How an answer of a chat is wanted. */
export interface TurnOptions extends AnswerOptions {
  /** Goes behind the preset's system prompt. */
  readonly instructions?: string | undefined;
  /** The answer that the request goes on from, as it named it: no matter of the model's. */
  readonly previous?: string | undefined;
}

export interface NewTurn {
  readonly content: string;
  /** An object, or JSON text that holds one. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  readonly clientMessageId?: string | undefined;
  /** How the answer is wanted, before what the preset says. A repeat must name the same. */
  readonly options?: TurnOptions | undefined;
  /** What the model is shown with it; `content` names them in their places. They are not stored. A repeat must show the same. */
  readonly images?: readonly ModelImage[] | undefined;
  readonly origin?: Origin;
}

/** A question or an answer that is to be another. */
export interface Revision {
  /** Id of the question or of one of its answers, the server's (`msg_…`) or the client's own; unset: whatever is the newest. */
  readonly named?: string | undefined;
  /** What the question becomes; unset: it stays, and is answered anew. */
  readonly content?: string | undefined;
  /** As of a new turn. */
  readonly images?: readonly ModelImage[] | undefined;
}

/** A user's message that is committed, and the run that answers it. */
export interface Turn {
  readonly message: ChatMessage;
  /** Also the id of the answer's message. */
  readonly runId: string;
  /** The message had been stored before: nothing was stored now. `caller.replayed` is set too. */
  readonly replayed: boolean;
}

/** Following what happens in chats, on any node. */
export abstract class ChatStreams {
  /**
   * Everything in a chat from now on; first, before it resolves, what was said after `lastSeq`, and a running answer from its
   * beginning. What no hint tells is read from the log within seconds: such a message may come after later ones.
   * @param resume instead of the beginning: that run after that index. One that has ended is given to its end.
   */
  abstract watch(
    chat: Pick<Chat, 'tenantId' | 'chatId' | 'lastSeq'>,
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
   * Whether a reader that has a run, ended or not, up to this index is missing anything of it: tokens, its end
   * (`END_INDEX`), or that tokens of theirs were lost. False: no such run.
   */
  abstract hasAfter(chat: Pick<Chat, 'tenantId' | 'chatId'>, runId: string, afterIndex: number): Promise<boolean>;
}

import { Injectable } from '@nestjs/common';
import { Bus, type Topic, type Unsubscribe } from '../../../platform/cluster';
import { OnStop, StopStage } from '../../../platform/lifecycle';
import type { ChatMessage, Origin, RunFailure, Unwatch } from '../contract';

/** What happened in a chat, as nodes tell each other. */
export type ChatHint =
  | {
      readonly kind: 'message';
      readonly message: ChatMessage;
      /** That answers it. */
      readonly runId: string;
      readonly clientMessageId: string | null;
      readonly origin?: Origin;
    }
  | { readonly kind: 'started'; readonly runId: string }
  | {
      readonly kind: 'tokens';
      readonly runId: string;
      /** Index of the first token. */
      readonly first: number;
      readonly text: string;
      readonly ends: readonly number[];
    }
  | {
      readonly kind: 'reasoning';
      readonly runId: string;
      /** Tokens of the answer that came before it. */
      readonly first: number;
      /** What was thought before it, in UTF-16 units. */
      readonly from: number;
      readonly text: string;
    }
  | {
      readonly kind: 'ended';
      readonly runId: string;
      /** Tokens of the whole answer. */
      readonly count: number;
      readonly answer: ChatMessage;
      readonly failure?: RunFailure;
    }
  | { readonly kind: 'deleted' };

interface AddressedHint {
  readonly chat: string;
  readonly hint: ChatHint;
}

const CHAT_HINTS: Topic<AddressedHint> = 'chat-hints';

export interface ChatRef {
  readonly tenantId: string;
  readonly chatId: string;
}

type Listener = (hint: ChatHint) => void;

/** Brings what happens in chats to their watchers, on all nodes; in the order of one node's publishing. */
@Injectable()
export class ChatHub {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly enders: ((runId: string) => void)[] = [];

  private readonly unsubscribe: Unsubscribe;

  constructor(private readonly bus: Bus) {
    this.unsubscribe = bus.subscribe(CHAT_HINTS, ({ payload: { chat, hint } }) => {
      for (const listener of [...(this.listeners.get(chat) ?? [])]) listener(revived(hint));
      if (hint.kind === 'ended') for (const ender of this.enders) ender(hint.runId);
    });
  }

  @OnStop(StopStage.log)
  end(): void {
    this.unsubscribe();
  }

  publish(chat: ChatRef, hint: ChatHint): void {
    this.bus.publish(CHAT_HINTS, { chat: keyOf(chat), hint });
  }

  /** Of every run of all chats, on whichever node it ends; a hint, so it may be lost. */
  onEnded(ender: (runId: string) => void): void {
    this.enders.push(ender);
  }

  listen(chat: ChatRef, listener: Listener): Unwatch {
    const key = keyOf(chat);
    const here = this.listeners.get(key) ?? new Set();
    this.listeners.set(key, here.add(listener));
    return () => {
      here.delete(listener);
      if (here.size === 0 && this.listeners.get(key) === here) this.listeners.delete(key);
    };
  }
}

/** One key per chat of all tenants. */
export function keyOf({ tenantId, chatId }: ChatRef): string {
  return `${tenantId}/${chatId}`;
}

/** A bus between processes carries JSON: dates arrive as text. */
function revived(hint: ChatHint): ChatHint {
  if (hint.kind === 'message') return { ...hint, message: withDates(hint.message) };
  return hint.kind === 'ended' ? { ...hint, answer: withDates(hint.answer) } : hint;
}

function withDates(message: ChatMessage): ChatMessage {
  const { createdAt, deletedAt } = message;
  return { ...message, createdAt: new Date(createdAt), deletedAt: deletedAt === null ? null : new Date(deletedAt) };
}

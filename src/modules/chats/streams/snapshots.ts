import { Injectable } from '@nestjs/common';
import { ChatLog } from '../../messages';
import { type ChatMessage, END_INDEX, type RunFailure } from '../contract';
import { failureOf, messageOf } from '../chats/chat-row';
import type { ChatRef } from './chat-hub';
import { LiveRuns } from '../runs/live-runs';
import { RunsRepository, type StoredTokens } from '../runs/runs.repository';

/** A run as it stands: what it has after an index, and its end. */
export interface RunSnapshot {
  /** Where `text` begins: the index asked for, or −1 where that is none of the run's. */
  readonly afterIndex: number;
  readonly text: string;
  /** Index of the last token; equals `afterIndex` when there are no more. */
  readonly index: number;
  readonly isBegun: boolean;
  readonly ended: { readonly answer: ChatMessage; readonly failure: RunFailure | undefined } | undefined;
}

/** Looks at runs: in the memory of the node that writes them, else in the database. */
@Injectable()
export class RunSnapshots {
  constructor(
    private readonly live: LiveRuns,
    private readonly runs: RunsRepository,
    private readonly messages: ChatLog,
  ) {}

  /** Undefined: the chat has no such run. */
  async read(chat: ChatRef, runId: string, afterIndex: number): Promise<RunSnapshot | undefined> {
    const live = this.live.find(runId);
    // What is not published yet comes as news.
    if (live?.isOver === false && live.ref.chatId === chat.chatId && live.ref.tenantId === chat.tenantId)
      return { ...tail(live.from(0), afterIndex, live.published), isBegun: live.begun, ended: undefined };
    const { tenantId, chatId } = chat;
    const run = await this.runs.find(tenantId, chatId, runId);
    if (run === undefined) return undefined;
    const tokens = await this.runs.tokens(tenantId, runId);
    if (run.answer_seq === null) {
      const count = tokens.ends.length;
      const isOver = run.state !== 'queued' && run.state !== 'streaming';
      // Its chat was deleted, or it was given up: there is no answer and there will be none.
      if (isOver) return undefined;
      return { ...tail(tokens, afterIndex, count), isBegun: count > 0, ended: undefined };
    }
    const row = await this.messages.find(tenantId, chatId, runId);
    if (row === undefined) return undefined;
    const answer = messageOf(row);
    const whole = completed(tokens, answer.content);
    const count = whole.ends.length;
    const isBegun = count > 0;
    // Who has the end has all tokens: they get the end again, and nothing else.
    const asked = afterIndex === END_INDEX ? count - 1 : afterIndex;
    return { ...tail(whole, asked, count), isBegun, ended: { answer, failure: failureOf(row) } };
  }
}

/** The stored tokens may end before the answer does, or be gone: the rest is one more token. */
function completed({ text, ends }: StoredTokens, content: string): StoredTokens {
  if (!content.startsWith(text)) return { text: content, ends: [content.length] };
  return text.length === content.length ? { text, ends } : { text: content, ends: [...ends, content.length] };
}

function tail({ text, ends }: StoredTokens, asked: number, count: number): Omit<RunSnapshot, 'isBegun' | 'ended'> {
  const afterIndex = asked >= 0 && asked < count ? asked : -1;
  const start = afterIndex < 0 ? 0 : (ends[afterIndex] ?? 0);
  return { afterIndex, text: text.slice(start, count === 0 ? 0 : ends[count - 1]), index: count - 1 };
}

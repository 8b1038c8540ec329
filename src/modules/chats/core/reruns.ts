import { Injectable } from '@nestjs/common';
import { AppError, notFound } from '../../../common/errors';
import { newUuid } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { Database } from '../../../platform/database';
import { type EffectResult, Effects } from '../../../platform/idempotency';
import { Jobs } from '../../../platform/jobs';
import { ChatLog, type MessageRow, type Said } from '../../messages';
import type { AnswerOptions } from '../../models';
import type { Chat, Turn } from '../contract';
import { budgetSpent } from './budgets';
import { messageOf } from './chat-row';
import { answering } from './interrupts';
import type { Spent } from './runs.repository';

interface AgainResult extends EffectResult, Partial<Spent> {
  readonly run_id?: string;
  readonly seq?: number;
  /** Answers that are superseded now. */
  readonly changed?: readonly MessageRow[];
}

const AGAIN = 'chat_answer_again';

/** Answers what was asked before once more. */
@Injectable()
export class Reruns {
  constructor(
    private readonly database: Database,
    private readonly effects: Effects,
    private readonly messages: ChatLog,
    private readonly jobs: Jobs,
  ) {}

  /** Whether the message was stored before. */
  async isKnown({ tenantId, roomId, senderId, clientMessageId }: Said): Promise<boolean> {
    return clientMessageId !== null && (await this.messages.bound(tenantId, roomId, senderId, clientMessageId));
  }

  /**
   * The run that answers a message which was stored before: a new one where the last has failed.
   * @throws 429 where that would be a new one and a budget is spent
   */
  async ofMessage({ tenantId, chatId }: Chat, seq: number, options: AnswerOptions | undefined): Promise<string> {
    const values = [tenantId, chatId, newUuid(), seq, options === undefined ? null : JSON.stringify(options)];
    return this.runOf(tenantId, chatId, await this.database.call<AgainResult>('answer again', tenantId, AGAIN, values));
  }

  /** Answers the newest message anew. @throws 409 while an answer is written, or when nothing was asked; 429 */
  async last(caller: Caller, { tenantId, chatId }: Chat): Promise<Turn> {
    const result = await this.effects.call<AgainResult>(caller, AGAIN, [tenantId, chatId, newUuid(), null, null]);
    if (result.status === 'busy') throw answering();
    if (result.status === 'nothing') throw new AppError('CONFLICT', 'There is no message to answer in this chat');
    const runId = this.runOf(tenantId, chatId, result);
    const asked = await this.messages.ofSeq(tenantId, chatId, result.seq ?? 0);
    if (asked === undefined) throw notFound('Message');
    return { message: messageOf(asked), runId, replayed: caller.replayed };
  }

  private runOf(tenantId: string, chatId: string, result: AgainResult): string {
    const { status, run_id: runId, changed, limit, seconds_left = 1 } = result;
    if (status === 'spent' && limit !== undefined) throw budgetSpent({ limit, seconds_left });
    if (status === 'no_room' || runId === undefined) throw notFound(status === 'no_room' ? 'Chat' : 'Message');
    if (status === 'ok') {
      this.messages.superseded(tenantId, chatId, changed ?? []);
      this.jobs.wake();
    }
    return runId;
  }
}

import { Injectable } from '@nestjs/common';
import { AppError, notFound } from '../../../common/errors';
import { newUuid } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { Database } from '../../../platform/database';
import { Effects } from '../../../platform/idempotency';
import { Jobs } from '../../../platform/jobs';
import { ChatLog, type Said } from '../../messages';
import type { AnswerOptions } from '../../models';
import { type Again, chatAnswerAgain } from '../chats.functions';
import type { Chat, Turn } from '../contract';
import { messageOf } from '../chats/chat-row';

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
    const result = await chatAnswerAgain.call(this.database, tenantId, {
      p_room: chatId,
      p_run: newUuid(),
      p_seq: seq,
      p_options: options && JSON.stringify(options),
    });
    return this.runOf(tenantId, chatId, result);
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

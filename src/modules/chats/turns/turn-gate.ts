import { Injectable } from '@nestjs/common';
import { notFound } from '../../../common/errors';
import { newUuid } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { Jobs } from '../../../platform/jobs';
import { AiWindow } from '../../../platform/rate-limit';
import type { AiTurn, Said, Stored } from '../../messages';
import type { AnswerOptions } from '../../models';
import type { Origin } from '../contract';
import { Budgets } from './budgets';
import { ChatHub } from '../streams/chat-hub';
import { messageSaid } from '../chats/chat-row';
import { ChatsRepository } from '../chats/chats.repository';
import { Interrupts } from './interrupts';
import { RUN } from '../runs/run-kind';

/** A turn with the run that it starts. */
export interface OpenTurn extends AiTurn {
  readonly runId: string;
}

/**
 * What every message to a model passes, whatever door it came through: budgets, and what the tenant wants to happen while
 * an answer is written. One server has a database to itself, so `reject` is decided here, one message of a chat at a time.
 */
@Injectable()
export class TurnGate {
  constructor(
    private readonly budgets: Budgets,
    private readonly window: AiWindow,
    private readonly chats: ChatsRepository,
    private readonly interrupts: Interrupts,
    private readonly jobs: Jobs,
    private readonly hub: ChatHub,
  ) {}

  /** A message that came by the Rooms API: it counts as a call of the AI APIs too. */
  async beginInRoom(caller: Caller, said: Said): Promise<AiTurn> {
    const chat = await this.chats.find(said.tenantId, said.roomId);
    if (chat === undefined) throw notFound('Room');
    if (caller.tenant !== undefined) await this.window.take(caller.tenant);
    return this.begin(caller, said, chat.user_id);
  }

  /** @throws 429 when a budget is spent */
  async admit({ tenant }: Caller, userId: string): Promise<void> {
    if (tenant !== undefined) await this.budgets.check(tenant, userId);
  }

  /** @throws 409 while an answer is written (`reject`), 429 when a budget is spent */
  async begin(
    caller: Caller,
    said: Said,
    userId: string,
    { origin, options }: { readonly origin?: Origin; readonly options?: AnswerOptions | undefined } = {},
  ): Promise<OpenTurn> {
    const { tenantId, roomId: chatId } = said;
    await this.admit(caller, userId);
    const mode = caller.tenant?.settings.while_answering ?? 'queue';
    const release = mode === 'reject' ? await this.interrupts.whenFree({ tenantId, chatId }) : () => undefined;
    const runId = newUuid();
    const asked = options === undefined ? {} : { options: JSON.stringify(options) };
    const payload = { run_id: runId, room_id: chatId, user_id: userId, request_id: caller.requestId, ...asked };
    return {
      runId,
      jobs: [{ kind: RUN.name, key: chatId, payload }],
      release,
      onStored: (stored) => {
        this.tell(said, stored, origin);
        this.jobs.wake();
        if (mode === 'interrupt') this.interrupts.before({ tenantId, chatId }, stored.seq);
      },
    };
  }

  private tell(said: Said, stored: Stored, origin: Origin | undefined): void {
    const { tenantId, roomId: chatId, clientMessageId } = said;
    const news = { kind: 'message', message: messageSaid(said, stored), clientMessageId } as const;
    this.hub.publish({ tenantId, chatId }, origin === undefined ? news : { ...news, origin });
  }
}

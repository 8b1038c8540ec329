import { Injectable } from '@nestjs/common';
import { AppError } from '../../../common/errors';
import { AiWindow } from '../../../platform/rate-limit';
import { AgentRooms } from '../agents/agent-rooms';
import { type Begun, type BegunAgent, budgetFailure } from '../chats.functions';
import { ChatTitler } from '../chats/titles';
import type { RunFailure } from '../contract';
import type { AgentRefusal } from '../entities/run.entity';
import { type LiveRun, type RunOutcome, type RunRef, STOPPED } from './live-runs';

/** A run whose turn has come. */
export type Taken = Extract<Begun, { fence: number }>;

const NOTICES: Readonly<Record<AgentRefusal, string>> = {
  pair: 'I answer one member at most 10 times a minute here: ask me again in a minute.',
  room: 'Agents answer at most 30 times a minute in this room: ask again in a minute.',
  queue: 'I have 20 questions to answer before: ask me again later.',
};

/** What comes before an answer and after it. */
@Injectable()
export class RunTurns {
  constructor(
    private readonly titler: ChatTitler,
    private readonly window: AiWindow,
    private readonly rooms: AgentRooms,
  ) {}

  /** How a run ends that may not begin; undefined: it may. */
  async refusal(live: LiveRun, begun: Taken): Promise<RunOutcome | undefined> {
    const { agent } = begun;
    if (agent !== undefined) this.rooms.note(live.ref.tenantId, live.ref.chatId);
    if (begun.status === 'cancelled') return STOPPED;
    if (begun.status === 'spent') return failed(budgetFailure(begun));
    if (agent === undefined) return undefined;
    if (agent.refused === null) return this.takeStart(live.ref, agent);
    const message = NOTICES[agent.refused];
    live.add(message);
    // It is no stream.
    live.published = live.count;
    return failed({ code: 'RATE_LIMIT_EXCEEDED', message });
  }

  /** The answer is stored. */
  async settled({ ref, replyToSeq }: LiveRun, begun: Taken, { status }: RunOutcome): Promise<void> {
    if (status === 'completed' && begun.auto_title) await this.titler.settle(ref, replyToSeq);
  }

  /** An agent's answer counts as a call of the AI APIs: there was no call that could. */
  private async takeStart({ tenantId }: RunRef, { limits }: BegunAgent): Promise<RunOutcome | undefined> {
    try {
      await this.window.takeAiRequest({ tenantId, status: 'active', limits, settings: {} });
      return undefined;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'RATE_LIMIT_EXCEEDED') throw error;
      const { message, retryAfterSeconds } = error;
      return failed({ code: error.code, message, retryAfterSeconds });
    }
  }
}

function failed(failure: RunFailure): RunOutcome {
  return { status: 'failed', finishReason: 'error', usage: undefined, failure };
}

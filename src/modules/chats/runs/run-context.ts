import { Injectable } from '@nestjs/common';
import { roomTold } from '../agents/room-prompt';
import { ChatLog, type LoggedMessage } from '../../messages';
import type { ModelMessage } from '../../models';
import type { BegunAgent } from '../chats.functions';
import type { TurnOptions } from '../contract';
import type { LiveRun } from './live-runs';
import { PromptImages } from './prompt-images';

/** What an answer needs to know of its chat, and how it is wanted. */
export interface Question {
  readonly userId: string;
  readonly preset: string;
  /** The model sees nothing up to here. */
  readonly clearedSeq: number;
  /** Of the request: before the preset's. */
  readonly options: TurnOptions;
  /** Who answers in a room of people; undefined: the assistant of a chat. */
  readonly agent?: BegunAgent | undefined;
}

/** A message of the log with its images, as far as they are here. */
export type ContextMessage = LoggedMessage & Pick<ModelMessage, 'images'>;

/** What is told of the log with a question. */
@Injectable()
export class RunContext {
  constructor(
    private readonly messages: ChatLog,
    private readonly images: PromptImages,
  ) {}

  /** The question, last, and what was said before it; of a room of people with who said it. */
  async read(live: LiveRun, question: Question, limit: number): Promise<readonly ContextMessage[]> {
    const messages = await this.logged(live, question, limit);
    const asked = messages.at(-1);
    const images = this.images.of(live.ref.runId);
    return asked === undefined || images.length === 0 ? messages : [...messages.slice(0, -1), { ...asked, images }];
  }

  /** The run has ended, here at least. */
  release({ ref }: LiveRun): void {
    this.images.release(ref.runId);
  }

  private async logged(live: LiveRun, { clearedSeq, agent }: Question, limit: number): Promise<LoggedMessage[]> {
    const { tenantId, chatId } = live.ref;
    if (agent === undefined) return this.messages.context(tenantId, chatId, live.replyToSeq, clearedSeq, limit);
    const { agent_id: id } = agent;
    return roomTold(await this.messages.contextIn(tenantId, chatId, live.replyToSeq, clearedSeq, limit, id), id);
  }
}

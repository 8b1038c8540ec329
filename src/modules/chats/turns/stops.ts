import { Injectable } from '@nestjs/common';
import type { Caller } from '../../../platform/auth';
import { type EffectResult, Effects } from '../../../platform/idempotency';
import { type Chat, type ChatMessage, ChatStreams } from '../contract';
import { Interrupts } from './interrupts';

/** A stop is answered after so long at most; what could not be stored by then is stored later. */
const PATIENCE_MS = 5000;

interface Stopped extends EffectResult {
  readonly runs: readonly string[];
}

/** Ends answers and waits until what they have is stored. */
@Injectable()
export class Stops {
  constructor(
    private readonly interrupts: Interrupts,
    private readonly streams: ChatStreams,
    private readonly effects: Effects,
  ) {}

  /** A repeat with the same Idempotency-Key ends nothing that was begun since, and is answered as the first time. */
  async all(caller: Caller, chat: Chat): Promise<readonly ChatMessage[]> {
    const { runs } = await this.effects.harmless<Stopped>(caller, chat.tenantId, async () => ({
      status: 'ok',
      runs: await this.interrupts.all(chat),
    }));
    const answers = await Promise.all(runs.map((runId) => this.end(chat, runId)));
    return answers.flatMap((answer) => (answer === undefined ? [] : [answer]));
  }

  private async end(chat: Chat, runId: string): Promise<ChatMessage | undefined> {
    let late: NodeJS.Timeout | undefined;
    let done: (answer: ChatMessage | undefined) => void = () => undefined;
    const ended = new Promise<ChatMessage | undefined>((resolve) => {
      done = resolve;
      late = setTimeout(() => resolve(undefined), PATIENCE_MS);
    });
    try {
      const unwatch = await this.streams.follow(chat, runId, -1, (event) => {
        if (event.type === 'ended') done(event.answer);
        else if (event.type === 'deleted') done(undefined);
      });
      const answer = await ended;
      unwatch();
      return answer;
    } finally {
      clearTimeout(late);
    }
  }
}

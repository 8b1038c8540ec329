import { Injectable } from '@nestjs/common';
import type { Caller } from '../../../platform/auth';
import { type EffectResult, Effects } from '../../../platform/idempotency';
import { describeError, Log } from '../../../platform/logging';
import { type Chat, type ChatMessage, ChatStreams } from '../contract';
import { LiveRuns } from '../runs/live-runs';
import { RunsRepository } from '../runs/runs.repository';
import type { ChatRef } from '../streams/chat-hub';

/** Ends answers before their time. */
@Injectable()
export class RunInterrupter {
  constructor(
    private readonly runs: RunsRepository,
    private readonly live: LiveRuns,
    private readonly log: Log,
  ) {}

  /** Ends all answers of the chat that are not over; their runs. */
  async all({ tenantId, chatId }: ChatRef): Promise<readonly string[]> {
    const ids = await this.runs.cancel(tenantId, chatId, null);
    this.live.stop(ids);
    return ids;
  }

  /** Ends one answer of the chat, if it is not over; its run. */
  async one({ tenantId, chatId }: ChatRef, runId: string): Promise<readonly string[]> {
    const ids = await this.runs.cancelOne(tenantId, chatId, runId);
    this.live.stop(ids);
    return ids;
  }

  /** Ends answers whose runs are cancelled already. */
  now(runIds: readonly string[]): void {
    this.live.stop(runIds);
  }

  /** Ends the answers to earlier messages. What cannot be ended now is answered in its turn. */
  before({ tenantId, chatId }: ChatRef, seq: number): void {
    this.runs
      .cancel(tenantId, chatId, seq)
      .then((ids) => this.live.stop(ids))
      .catch((error: unknown) =>
        this.log.warn({ tenant_id: tenantId, error: describeError(error) }, 'answers could not be interrupted'),
      );
  }
}

/** A stop is answered after so long at most; what could not be stored by then is stored later. */
const PATIENCE_MS = 5000;

interface Stopped extends EffectResult {
  readonly runs: readonly string[];
}

/** Ends answers and waits until what they have is stored. */
@Injectable()
export class RunStopper {
  constructor(
    private readonly interrupter: RunInterrupter,
    private readonly streams: ChatStreams,
    private readonly effects: Effects,
  ) {}

  /** A repeat with the same Idempotency-Key ends nothing that was begun since, and is answered as the first time. */
  all(caller: Caller, chat: Chat): Promise<readonly ChatMessage[]> {
    return this.stopped(caller, chat, () => this.interrupter.all(chat));
  }

  /** One of them; none: it was over. */
  one(caller: Caller, chat: Chat, runId: string): Promise<readonly ChatMessage[]> {
    return this.stopped(caller, chat, () => this.interrupter.one(chat, runId));
  }

  private async stopped(
    caller: Caller,
    chat: Chat,
    stop: () => Promise<readonly string[]>,
  ): Promise<readonly ChatMessage[]> {
    const { runs } = await this.effects.harmless<Stopped>(caller, chat.tenantId, async () => ({
      status: 'ok',
      runs: await stop(),
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

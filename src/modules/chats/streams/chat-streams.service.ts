import { Injectable } from '@nestjs/common';
import { ChatStreams, type ChatWatcher, END_INDEX, type Unwatch } from '../contract';
import { noSuchAnswer } from '../events';
import type { TokenPosition } from '../event-id';
import { ChatHub, type ChatRef } from './chat-hub';
import { ChatWatch } from './chat-watch';
import { RunsRepository } from '../runs/runs.repository';
import { RunSnapshots } from './snapshots';

/** Following chats and runs on this node, wherever they are answered. */
@Injectable()
export class ChatStreamsService extends ChatStreams {
  constructor(
    private readonly hub: ChatHub,
    private readonly snapshots: RunSnapshots,
    private readonly runs: RunsRepository,
  ) {
    super();
  }

  async watch(chat: ChatRef, watcher: ChatWatcher, resume?: TokenPosition): Promise<Unwatch> {
    const watch = this.open(chat, watcher, undefined);
    return this.begun(watch, async () => {
      if (resume !== undefined && !(await this.hasEnd(chat, resume))) await watch.join(resume.runId, resume.afterIndex);
      const running = await this.running(chat);
      if (running !== undefined && running !== resume?.runId) await watch.join(running, -1);
    });
  }

  async follow(chat: ChatRef, runId: string, afterIndex: number, watcher: ChatWatcher): Promise<Unwatch> {
    const watch = this.open(chat, watcher, runId);
    return this.begun(watch, async () => {
      if (!(await watch.join(runId, afterIndex))) throw noSuchAnswer();
    });
  }

  async running({ tenantId, chatId }: ChatRef): Promise<string | undefined> {
    return (await this.runs.unfinished(tenantId, chatId))[0];
  }

  async hasAfter({ tenantId, chatId }: ChatRef, runId: string, afterIndex: number): Promise<boolean> {
    const run = await this.runs.find(tenantId, chatId, runId);
    if (run === undefined) return false;
    return run.token_count === null || afterIndex < END_INDEX;
  }

  /** Whether a reader says, rightly, that they have the run's end: nothing of it is missing. */
  private async hasEnd(chat: ChatRef, { runId, afterIndex }: TokenPosition): Promise<boolean> {
    return afterIndex === END_INDEX && !(await this.hasAfter(chat, runId, afterIndex));
  }

  private open(chat: ChatRef, watcher: ChatWatcher, only: string | undefined): ChatWatch {
    const watch: ChatWatch = new ChatWatch(
      (runId, afterIndex) => this.snapshots.read(chat, runId, afterIndex),
      watcher,
      only,
      () => unlisten(),
    );
    const unlisten = this.hub.listen(chat, (hint) => watch.hear(hint));
    watch.hold();
    return watch;
  }

  /** The first look; news wait until it is done. */
  private async begun(watch: ChatWatch, look: () => Promise<void>): Promise<Unwatch> {
    try {
      await look();
    } catch (error) {
      watch.close();
      throw error;
    }
    watch.release();
    return () => watch.close();
  }
}

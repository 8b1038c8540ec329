import { Injectable } from '@nestjs/common';
import { Database } from '../../../platform/database';
import { describeError, Log } from '../../../platform/logging';
import { RoomFeed } from '../../../realtime';
import { ChatLog } from '../../messages';
import { chatUpdate } from '../chats.functions';
import type { RunRef } from '../runs/live-run';
import { shortForm } from './title';

/** Names chats that nobody has named after what was said first. */
@Injectable()
export class Titles {
  constructor(
    private readonly database: Database,
    private readonly messages: ChatLog,
    private readonly feed: RoomFeed,
    private readonly log: Log,
  ) {}

  /** Neither fails nor matters enough to be tried again. */
  async settle({ tenantId, chatId, runId }: RunRef, seq: number): Promise<void> {
    try {
      const message = await this.messages.ofSeq(tenantId, chatId, seq);
      if (message === undefined) return;
      const args = { p_room: chatId, p_title: shortForm(message.content), p_max_bytes: 0, p_only_auto: true };
      const { status } = await chatUpdate.call(this.database, tenantId, args);
      if (status === 'ok') this.feed.touch(tenantId, chatId);
    } catch (error) {
      this.log.warn({ run_id: runId, tenant_id: tenantId, error: describeError(error) }, 'chat could not be named');
    }
  }
}

import { Injectable } from '@nestjs/common';
import { codePoints, firstGraphemes, isBlank } from '../../../common/text';
import { Database } from '../../../platform/database';
import { describeError, Log } from '../../../platform/logging';
import { RoomFeed } from '../../../realtime';
import { ChatLog } from '../../messages';
import { chatUpdate } from '../chats.functions';
import type { RunRef } from '../runs/live-runs';

/** Of a chat without a title of its user's, until its first answer is there. */
export const NEW_TITLE = 'New chat';

/** Names chats without a title of their user's after their first messages. */
@Injectable()
export class ChatTitler {
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
      if (status === 'ok') this.feed.touchRoom(tenantId, chatId);
    } catch (error) {
      this.log.warn({ run_id: runId, tenant_id: tenantId, error: describeError(error) }, 'chat could not be named');
    }
  }
}

/** In characters as people count them. */
const LONGEST = 60;
/** A character as people count them may be made of many: also a title has at most 200 code points. */
const LONGEST_POINTS = 200;
/** What would break the line that a title stands in, or turn it round. */
const UNTOLD = /[\p{Cc}\p{Bidi_Control}]+/gu;

/** A short form of a message: one line, at most 60 characters, cut between words where there are any. */
export function shortForm(content: string): string {
  const line = content.replaceAll(/\s+/gu, ' ').replaceAll(UNTOLD, '').replaceAll(/ {2,}/g, ' ').trim();
  if (isBlank(line)) return NEW_TITLE;
  let most = LONGEST;
  while (most > 0 && codePoints(firstGraphemes(line, most)) > LONGEST_POINTS) most--;
  if (most > 0 && firstGraphemes(line, most) === line) return line;
  const cut = firstGraphemes(line, Math.max(0, most - 1));
  if (cut === '') return NEW_TITLE;
  const blank = cut.lastIndexOf(' ');
  return `${(blank > LONGEST / 2 ? cut.slice(0, blank) : cut).trimEnd()}…`;
}

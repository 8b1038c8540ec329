import { newUuid } from '../../src/common/ids';
import { chatCreate } from '../../src/modules/chats/chats.functions';
import type { NewMessage } from '../../src/modules/messages/appender/item';
import { type AppendFixture, messageTo, type RoomRef } from './append-model';

/** Who answers in the chats. */
export const AGENT = 'agent_default';

/** A new chat of alice's; a tenant of its own where none is given. */
export async function aiChat(bench: AppendFixture, tenantId?: string): Promise<RoomRef> {
  const roomId = newUuid();
  const room = { tenantId: tenantId ?? (await bench.tenant()), roomId };
  await bench.call(room, chatCreate, {
    p_room: roomId,
    p_user: 'alice',
    p_preset: 'default',
    p_agent: AGENT,
    p_title: 'New chat',
    p_auto_title: true,
    p_active: false,
  });
  return room;
}

/** A message with the run that is to answer it. */
export function aiTurn(room: RoomRef, more: Partial<NewMessage> = {}): NewMessage & { readonly runId: string } {
  const runId = newUuid();
  const payload = { run_id: runId, room_id: room.roomId, user_id: 'alice' };
  return { ...messageTo(room, { jobs: [{ kind: 'run', key: room.roomId, payload }], ...more }), runId };
}

/** The answer that ends a run. */
export function aiAnswer(room: RoomRef, runId: string, content: string, status = 'completed'): NewMessage {
  return messageTo(room, {
    messageId: runId,
    clientMessageId: runId,
    senderId: AGENT,
    content,
    bodyHash: Buffer.from(content),
    answer: { status, replyToSeq: 1, run: { total_tokens: 7, token_count: 2, finish_reason: 'stop' } },
  });
}

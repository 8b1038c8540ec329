import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { encodeId, newUuid } from '../../../src/common/ids';
import {
  LINE_KEYS,
  type MessageFields,
  type RoomFields,
  type TenantExportLine,
  type TenantFieldsOf,
} from '../../../src/modules/transfer/format';

/** The time of everything in a file that is made up; messages come a second after each other. */
export const MADE_AT = '2025-06-01T12:00:00.000Z';

export function timeAfter(seconds: number): string {
  return new Date(Date.parse(MADE_AT) + seconds * 1000).toISOString();
}

/** A line as a file has it, or a text that is none. */
export type FileLine = TenantExportLine | string;

/** A tenant's export with these lines between header and end. */
export function exportFile(lines: readonly FileLine[]): Buffer {
  const header = { kind: 'chatapi.export', format: 1, export_id: encodeId('export', newUuid()) };
  const texts = lines.map((line) => (typeof line === 'string' ? line : textOf(line)));
  const sha256 = createHash('sha256')
    .update(texts.map((text) => `${text}\n`).join(''))
    .digest('hex');
  const counts: Record<string, number> = Object.fromEntries(Object.keys(LINE_KEYS).map((kind) => [kind, 0]));
  for (const line of lines) if (typeof line !== 'string') counts[line.kind] = (counts[line.kind] ?? 0) + 1;
  const all = [JSON.stringify(header), ...texts, JSON.stringify({ kind: 'end', counts, sha256 })];
  return gzipSync(`${all.join('\n')}\n`);
}

function textOf(line: TenantExportLine): string {
  const fields = line as unknown as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(['kind', ...LINE_KEYS[line.kind]].map((key) => [key, fields[key]])));
}

export function userLine(user_id: string, more: Partial<TenantFieldsOf['user']> = {}): TenantExportLine {
  return {
    kind: 'user',
    ...{ user_id, profile: {}, created_at: MADE_AT, last_seen_at: null, first_socket_at: null, legal_hold: false },
    ...more,
  };
}

export interface RoomOfFile {
  readonly roomId?: string;
  readonly members: readonly string[];
  readonly messages: readonly Partial<MessageFields>[];
  readonly room?: Partial<RoomFields>;
}

/** A room with its members, who founded it, and its messages, one rev each. */
export function roomLines({ roomId = newUuid(), members, messages, room = {} }: RoomOfFile): TenantExportLine[] {
  const room_id = encodeId('room', roomId);
  const last = timeAfter(messages.length);
  const fields: RoomFields = {
    ...{ room_id, type: 'group', unique_key: null, name: 'a room', metadata: null, posting: 'members' },
    ...{ first_seq: 1, last_seq: messages.length, first_rev: 0, last_rev: messages.length },
    ...{ members_added: members.length, retention_days: null, legal_hold: false },
    ...{ last_message_at: messages.length > 0 ? last : null, created_at: MADE_AT, updated_at: MADE_AT },
    ...room,
  };
  return [
    { kind: 'room', ...fields },
    ...members.map((user_id, i): TenantExportLine => {
      const role = i === 0 ? 'admin' : 'member';
      return { kind: 'member', room_id, user_id, role, member_no: i + 1, joined_seq: 0, joined_at: MADE_AT };
    }),
    ...messages.map((more, i): TenantExportLine => ({
      kind: 'message',
      ...{ room_id, seq: i + 1, rev: i + 1, message_id: encodeId('message', newUuid()) },
      ...{ sender_id: members[i % members.length] ?? 'nobody', role: 'user', content: `said ${i + 1}`, meta: null },
      ...{ client_message_id: null, status: null, reply_to_seq: null, created_at: timeAfter(i + 1) },
      ...{ edited_at: null, deleted_at: null },
      ...more,
    })),
  ];
}

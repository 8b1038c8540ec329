import { Injectable } from '@nestjs/common';
import { Database } from '../../platform/database';
import type { MessageDto } from './dto/message.dto';
import { MESSAGE_COLUMNS } from './message.columns';
import { type MessageRow, messageView } from './views';

/** Messages as the server's own work sees them: no caller, no access rule, one tenant. */
@Injectable()
export class MessageFacts {
  constructor(private readonly database: Database) {}

  /** Those of these messages that are not deleted, in order of seq. @param roomId UUID */
  async ofSeqs(tenantId: string, roomId: string, seqs: readonly number[]): Promise<MessageDto[]> {
    const rows = await this.database.query<MessageRow>(
      'messages by seq',
      tenantId,
      `SELECT ${MESSAGE_COLUMNS} FROM messages m
       WHERE m.tenant_id = $1 AND m.room_id = $2 AND m.seq = ANY ($3::bigint[]) AND m.deleted_at IS NULL ORDER BY m.seq`,
      [tenantId, roomId, seqs],
    );
    return rows.map(messageView);
  }
}

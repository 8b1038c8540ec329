import { Injectable } from '@nestjs/common';
import { type MessageFrame, MessageFrames } from '../../../realtime';
import { MessagesRepository } from '../messages.repository';
import { messageFrame } from './log-frames';

/** Messages as they are now, for whoever sends them again. */
@Injectable()
export class LogMessageFrames extends MessageFrames {
  constructor(private readonly repository: MessagesRepository) {
    super();
  }

  async read(
    tenantId: string,
    roomId: string,
    afterSeq: number,
    throughSeq: number,
    limit: number,
  ): Promise<readonly MessageFrame[]> {
    const rows = await this.repository.between(tenantId, roomId, afterSeq, throughSeq, limit);
    return rows.map((row) => ({ seq: row.seq, frame: messageFrame(row) }));
  }
}

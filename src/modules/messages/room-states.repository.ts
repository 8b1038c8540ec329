import { Injectable } from '@nestjs/common';
import { TenantBatching } from '../../common/batching';
import { Database } from '../../platform/database';
import type { RoomView } from './messages.repository';

interface Question {
  readonly roomId: string;
  readonly userId: string;
}

type Answer = RoomView & { readonly n: number };

/** The window's alias keeps room_access a subquery of its own: whatever the planner thinks of the arrays, it looks up keys. */
const STATES = `
SELECT q.n, a.allowed, a.first_seq, a.last_seq, a.last_rev, a.has_states
FROM unnest($2::uuid[], $3::text[]) WITH ORDINALITY q(room_id, user_id, n)
CROSS JOIN LATERAL (SELECT * FROM room_access($1, q.room_id, q.user_id) OFFSET 0) a`;

/**
 * How rooms are for users: whether they see them, and from where to where they reach. Asked in company: what comes while
 * a tenant's statement is under way goes along in its next one, a lone question at once. What waits are requests, which
 * are bounded where they come in.
 */
@Injectable()
export class RoomStates {
  private readonly questions: TenantBatching<Question, RoomView | undefined>;

  constructor(private readonly database: Database) {
    this.questions = new TenantBatching((tenantId, asked) => this.read(tenantId, asked));
  }

  /** As it was after the call; undefined: no such room. @param roomId UUID @throws 503 */
  ask(tenantId: string, roomId: string, userId: string): Promise<RoomView | undefined> {
    return this.questions.submit(tenantId, { roomId, userId });
  }

  private async read(tenantId: string, asked: readonly Question[]): Promise<(RoomView | undefined)[]> {
    const rows = await this.database.query<Answer>('room states', tenantId, STATES, [
      tenantId,
      asked.map(({ roomId }) => roomId),
      asked.map(({ userId }) => userId),
    ]);
    const answers = new Array<RoomView | undefined>(asked.length).fill(undefined);
    for (const row of rows) answers[row.n - 1] = row;
    return answers;
  }
}

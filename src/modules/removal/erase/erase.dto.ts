import { ApiProperty } from '@nestjs/swagger';

/** How far the erase of a user is; once it is done, its certificate. */
export class ErasureDto {
  /** @example er_019000000000700080000000000000e0 */
  erasure_id!: string;
  /**
   * `refusing`: calls as the user are refused, nothing has gone yet; `erasing`; `done`: nothing of the user is left; `failed`:
   * it was given up, ask for it again.
   */
  @ApiProperty({ enum: ['refusing', 'erasing', 'done', 'failed'] })
  state!: string;
  /**
   * What has gone or was changed so far, by kind.
   * @example { "messages": 412, "memberships": 7, "chats": 2, "users": 1 }
   */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  counts!: Record<string, number>;
  /** @example 2026-01-31T12:00:00.000Z */
  requested_at!: string;
  /** null: it is not done. */
  @ApiProperty({ type: 'string', nullable: true, example: '2026-01-31T12:00:20.000Z' })
  finished_at!: string | null;
  /** Why it was given up; null: it was not. */
  @ApiProperty({ type: 'string', nullable: true, example: null })
  error!: string | null;
}

export class ErasureStartedDto {
  /** @example er_019000000000700080000000000000e0 */
  erasure_id!: string;
  @ApiProperty({ enum: ['refusing', 'erasing'] })
  state!: string;
}

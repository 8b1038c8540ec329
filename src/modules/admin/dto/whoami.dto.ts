import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsString, Matches, MaxLength } from 'class-validator';

export class LimitLeftDto {
  /** What is allowed; null is unlimited. */
  @ApiProperty({ type: 'integer', nullable: true })
  limit!: number | null;

  /** What is left of it now; null is unlimited. */
  @ApiProperty({ type: 'integer', nullable: true })
  left!: number | null;
}

export class WhoamiDto {
  /** What was shown: the master key, an API key, or a user token. */
  @ApiProperty({ enum: ['master', 'key', 'token'] })
  credential!: 'master' | 'key' | 'token';

  /**
   * null for the master key, which is for all tenants.
   * @example tenant_019aa1c2d3e4f5061728394a5b6c7d8e
   */
  @ApiProperty({ type: 'string', nullable: true })
  tenant_id!: string | null;

  /**
   * The user that the call acts as; null where it acts for the whole tenant.
   * @example alice
   */
  @ApiProperty({ type: 'string', nullable: true })
  user_id!: string | null;

  /**
   * The API key, or the one that minted the token.
   * @example key_019aa1c2d3e4f5061728394a5b6c7d8e
   */
  @ApiProperty({ type: 'string', nullable: true })
  key_id!: string | null;

  /** @example ["chat"] */
  scopes!: string[];

  /** When the credential ends by itself; null: never. */
  @ApiProperty({ type: 'string', nullable: true })
  expires_at!: string | null;

  /** Of the tenant, by name; those per user where the call acts as one. Empty for the master key. */
  @ApiProperty({
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['limit', 'left'],
      properties: { limit: { type: 'integer', nullable: true }, left: { type: 'integer', nullable: true } },
    },
  })
  limits!: Record<string, LimitLeftDto>;
}

export class CanIDto {
  /** @example GET */
  @IsIn(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])
  method!: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

  /**
   * As it would be called, with its ids; a query may follow.
   * @example /admin/tenants
   */
  @IsString()
  @MaxLength(2000)
  @Matches(/^\//)
  path!: string;
}

export class CanIAnswerDto {
  allowed!: boolean;

  /**
   * The route that the call would meet; null: there is none.
   * @example GET /admin/tenants
   */
  @ApiProperty({ type: 'string', nullable: true })
  route!: string | null;

  /**
   * Whom the route is for.
   * @example the master key only
   */
  @ApiProperty({ type: 'string', nullable: true })
  rule!: string | null;

  /** What the call would be refused with; null: nothing. */
  @ApiProperty({ type: 'string', nullable: true })
  why!: string | null;

  /**
   * What is decided by the room or the chat itself, and not known here: whether the user is a member with the right for it, or
   * whether the chat is theirs.
   */
  @ApiProperty({ enum: ['membership', 'ownership'], nullable: true })
  depends_on!: 'membership' | 'ownership' | null;
}

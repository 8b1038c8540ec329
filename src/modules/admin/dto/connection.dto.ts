import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';
import { CursorPageDto, CursorQueryDto } from '../../../platform/http';
import { IsUserId } from '../../../platform/validation';
import { TenantQueryDto } from '../../tenants';

export class ConnectionsQueryDto extends CursorQueryDto {
  /** The tenant. A key means its own; the master key has to say which. */
  @IsOptional()
  @IsString()
  tenant_id?: string;

  /** Only connections of this user. */
  @IsOptional()
  @IsUserId()
  user_id?: string;
}

export class CloseConnectionQueryDto extends TenantQueryDto {
  /** What it is closed with: 1013 try later, 4003 as if its credential had ended, 4004 as if it was not allowed. Default 1013. */
  @IsOptional()
  @IsIn(['1013', '4003', '4004'])
  code?: '1013' | '4003' | '4004';
}

export class ConnectionCredentialDto {
  /** How it was opened: with an API key, or with a token or a ticket. */
  @ApiProperty({ enum: ['key', 'token'] })
  kind!: string;

  /** The key, or the one that minted the token. */
  @ApiProperty({ type: 'string', nullable: true })
  key_id!: string | null;

  @ApiProperty({ type: 'string', nullable: true })
  key_name!: string | null;

  /** How the key begins. */
  @ApiProperty({ type: 'string', nullable: true })
  key_prefix!: string | null;
}

export class ConnectionDto {
  /** @example conn_019aa1c2d3e4f5061728394a5b6c7d8e */
  connection_id!: string;
  /** The server that it is open on; a UUID, new with each of its starts. */
  node_id!: string;
  /** @example alice */
  user_id!: string;
  /** @example /ws */
  path!: string;
  since!: string;
  address!: string;
  /** What the client calls itself; null: nothing. */
  @ApiProperty({ type: 'string', nullable: true })
  agent!: string | null;
  credential!: ConnectionCredentialDto;
  /** Rooms that it hears of. */
  @ApiProperty({ type: 'integer' })
  rooms!: number;
  @ApiProperty({ type: 'integer' })
  bytes_in!: number;
  @ApiProperty({ type: 'integer' })
  bytes_out!: number;
  /** Of those, what the client has not taken yet. */
  @ApiProperty({ type: 'integer' })
  queue_bytes!: number;
}

export class ConnectionsDto extends CursorPageDto {
  items!: ConnectionDto[];
  /** Servers that did not answer within a second: theirs are not among the items. Empty where there is one server. */
  missing_nodes!: string[];
}

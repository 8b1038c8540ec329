import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Scope } from '../../../platform/auth';

/** An API key; only its SHA-256 is stored. */
@Entity('api_keys')
export class ApiKeyEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  key_id!: string;

  @Column('text')
  name!: string;

  @Column('text')
  prefix!: string;

  @Column('bytea')
  hash!: Buffer;

  @Column('text', { array: true })
  scopes!: Scope[];

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  expires_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  last_used_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  revoked_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  updated_at!: Date;
}

/** A socket ticket that was used. */
@Entity('ws_tickets')
export class WsTicketEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  ticket_id!: string;

  @Column('timestamp with time zone', { precision: 3 })
  expires_at!: Date;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Scope } from '../../../platform/auth';
import { cannotHold, CONFIGURATION, FIXED_WORD, notExported, TableData } from '../../../platform/tenant-data';

/** An API key; only its SHA-256 is stored. */
@Entity('api_keys')
@TableData({
  rank: 60,
  exported: { tenant: notExported('secrets'), user: notExported('nothing of a person') },
  kept: 'until the tenant is deleted, revoked ones too',
  columns: {
    name: CONFIGURATION,
    prefix: cannotHold('the beginning of a random key'),
    hash: cannotHold('a hash of a random key'),
    scopes: FIXED_WORD,
  },
})
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
@TableData({
  rank: 10,
  exported: { tenant: notExported('good for a minute'), user: notExported('good for a minute') },
  kept: 'a minute after its use',
  columns: {},
})
export class WsTicketEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  ticket_id!: string;

  @Column('timestamp with time zone', { precision: 3 })
  expires_at!: Date;
}

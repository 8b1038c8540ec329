import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A person (or bot) of a tenant; made on first use. */
@Entity('users')
export class UserEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  user_id!: string;

  @Column('jsonb', { default: {} })
  profile!: Record<string, unknown>;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  last_seen_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  first_socket_at!: Date | null;
}

import { Column, Entity, Generated, PrimaryColumn } from 'typeorm';

/** What the installation knows of itself; one row. */
@Entity('instance')
export class InstanceEntity {
  @PrimaryColumn('boolean', { default: true })
  singleton!: boolean;

  @Column('uuid')
  @Generated('uuid')
  instance_id!: string;

  /** Raised by a restore: positions of another epoch are not of this log. */
  @Column('bigint', { default: 1 })
  epoch!: number;

  @Column('text')
  role_prefix!: string;

  @Column('timestamp with time zone', { precision: 3, default: () => 'clock_timestamp()' })
  created_at!: Date;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  bootstrapped_at!: Date | null;

  @Column('timestamp with time zone', { precision: 3, nullable: true })
  checked_at!: Date | null;

  /** What the embedded data directory was at the last start: a copy is another one. */
  @Column('jsonb', { nullable: true })
  directory!: unknown;

  /** A value sealed with each key of encryption, to know the key again by. */
  @Column('text', { array: true, default: [] })
  key_canaries!: string[];

  @Column('text', { nullable: true })
  lc_ctype!: string | null;

  /** Whose functions of the schema are in force. */
  @Column('text', { nullable: true })
  functions_release!: string | null;

  /** The oldest release that may run on this schema. */
  @Column('text', { nullable: true })
  min_release!: string | null;

  @Column('text', { nullable: true })
  jwt_fingerprint!: string | null;

  @Column('text', { nullable: true })
  encryption_fingerprint!: string | null;

  /** Which PostgreSQL it was that the server saw last. */
  @Column('jsonb', { nullable: true })
  database_server!: unknown;

  /** What the Redis of all servers holds, too. */
  @Column('text', { nullable: true })
  cluster_nonce!: string | null;

  /** When a server found it there last. */
  @Column('timestamp with time zone', { precision: 3, nullable: true })
  cluster_seen_at!: Date | null;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import { cannotHold, erasedBy, FIXED_WORD, notExported, TableData } from '../../tenant-data';

const STAYS_HERE = {
  tenant: notExported('proves what was done on this installation'),
  user: notExported('what administrators did, not what the person wrote'),
};
const KEPT = 'until the tenant is deleted';
const KEYED = cannotHold('a keyed hash');
const KEY_NAME = cannotHold('the name of a key');

/** What an administrator did: a row of a chain. */
@Entity('audit_log')
@TableData({
  rank: 80,
  exported: STAYS_HERE,
  kept: KEPT,
  columns: {
    actor: cannotHold('the id of a key, or a random ref of a person'),
    action: FIXED_WORD,
    target: cannotHold('an id'),
    subject: cannotHold('a random ref of a person'),
    entry: cannotHold('ids, refs and fields that the rules of actions let be shown; no text of users'),
    key_id: KEY_NAME,
    mac: KEYED,
    address: erasedBy('audit'),
  },
})
export class AuditLogEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  /** From 1, without a gap. */
  @PrimaryColumn('bigint')
  n!: number;

  @Column('timestamp with time zone', { precision: 3 })
  at!: Date;

  /** `master`, `key:key_…`, or `person:` and a ref. */
  @Column({ type: 'text', collation: 'C' })
  actor!: string;

  @Column({ type: 'text', collation: 'C' })
  action!: string;

  /** `<kind>:<id>`; null where it is a user alone, or nothing. */
  @Column({ type: 'text', nullable: true, collation: 'C' })
  target!: string | null;

  /** The ref of the user that it is about. */
  @Column({ type: 'text', nullable: true, collation: 'C' })
  subject!: string | null;

  /** JSON, as it was hashed. */
  @Column('text')
  entry!: string;

  /** Names the key of the mac. */
  @Column('text')
  key_id!: string;

  @Column('bytea')
  mac!: Buffer;

  /** Of a person; that of others stands in the entry. */
  @Column({ type: 'text', nullable: true })
  address!: string | null;
}

/** Where a chain ends. */
@Entity('audit_heads')
@TableData({
  rank: 80,
  lastRows: 'true',
  exported: STAYS_HERE,
  kept: KEPT,
  columns: { mac: KEYED, key_id: KEY_NAME, seal: KEYED },
})
export class AuditHeadEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @Column('bigint')
  n!: number;

  @Column('bytea')
  mac!: Buffer;

  @Column('text')
  key_id!: string;

  @Column('bytea')
  seal!: Buffer;
}

/** Whom a ref means. */
@Entity('audit_subjects')
@TableData({
  rank: 80,
  exported: STAYS_HERE,
  kept: 'until the user is erased',
  columns: { ref: cannotHold('random'), user_id: erasedBy('audit') },
})
export class AuditSubjectEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('text', { collation: 'C' })
  ref!: string;

  @Column({ type: 'text', collation: 'C' })
  user_id!: string;
}

import { Column, Entity, PrimaryColumn } from 'typeorm';
import { erasedBy, notExported, TableData } from '../../../platform/tenant-data';

/** What an edited message said before. */
@Entity('message_versions')
@TableData({
  rank: 30,
  exported: {
    tenant: notExported('earlier words of messages: an import begins with what they say now'),
    user: 'version',
  },
  kept: 'as long as the message, while the tenant keeps versions',
  columns: { content: erasedBy('messages'), meta: erasedBy('messages') },
})
export class MessageVersionEntity {
  @PrimaryColumn('uuid')
  tenant_id!: string;

  @PrimaryColumn('uuid')
  room_id!: string;

  @PrimaryColumn('bigint')
  seq!: number;

  /** Of this content. */
  @PrimaryColumn('bigint')
  rev!: number;

  @Column('text')
  content!: string;

  @Column('json', { nullable: true })
  meta!: Record<string, unknown> | null;

  @Column('timestamp with time zone', { precision: 3 })
  said_at!: Date;
}

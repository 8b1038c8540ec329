import { Column, Entity, PrimaryColumn } from 'typeorm';

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

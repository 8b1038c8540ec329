import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { roleNames } from '../roles';

/**
 * Socket tickets that were used. Unlogged: after a crash the table is empty, and a ticket is good for a minute; one that
 * was used just before could then be used once more, by whoever holds it, until it ends.
 */
export class WsTickets1763856000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    const own = `tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid`;
    await runner.query(`
      CREATE UNLOGGED TABLE ws_tickets (
        tenant_id uuid NOT NULL,
        ticket_id uuid NOT NULL,
        expires_at timestamptz(3) NOT NULL,
        PRIMARY KEY (tenant_id, ticket_id)
      );
      CREATE INDEX ws_tickets_expiry ON ws_tickets (expires_at);
      ALTER TABLE ws_tickets ENABLE ROW LEVEL SECURITY;
      ALTER TABLE ws_tickets FORCE ROW LEVEL SECURITY;
      CREATE POLICY tenant_rows ON ws_tickets TO ${quote(roles.tenant)} USING (${own}) WITH CHECK (${own});
      CREATE POLICY system_rows ON ws_tickets TO ${quote(roles.system)} USING (true) WITH CHECK (true);
      GRANT SELECT, INSERT, UPDATE, DELETE ON ws_tickets TO ${quote(roles.tenant)};
      GRANT SELECT, DELETE ON ws_tickets TO ${quote(roles.system)};`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

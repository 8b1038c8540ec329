import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { APPEND_HOOKED } from './0012/append';
import { TABLES } from './0012/tables';
import { TRIGGERS } from './0012/triggers';
import { roleNames } from '../roles';

/**
 * Webhooks (docs/adr/0019). The system role learns which tenants have one, purges and counts; it reads neither secrets
 * nor what is posted.
 */
export class Webhooks1764547200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    const [tenant, system, append] = [quote(roles.tenant), quote(roles.system), quote(roles.append)];
    const own = `tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid`;
    await runner.query(TABLES);
    for (const table of ['webhooks', 'webhook_deliveries'])
      await runner.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_rows ON ${table} TO ${tenant} USING (${own}) WITH CHECK (${own});
        CREATE POLICY system_rows ON ${table} TO ${system} USING (true) WITH CHECK (true);
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${tenant};`);
    await runner.query(`
      GRANT SELECT (tenant_id, url, events, disabled_at, updated_at), INSERT ON webhooks TO ${system};
      GRANT SELECT (tenant_id, delivery_id, state, created_at), DELETE ON webhook_deliveries TO ${system};`);
    await runner.query(TRIGGERS);
    await runner.query(`
      REVOKE ALL ON FUNCTION webhook_room_created, webhook_room_events FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION webhook_room_created, webhook_room_events TO ${tenant};`);
    await runner.query(`GRANT CREATE ON SCHEMA public TO ${append}`);
    await runner.query(`SET LOCAL ROLE ${append}`);
    await runner.query(APPEND_HOOKED);
    await runner.query(`
      REVOKE ALL ON FUNCTION append_messages_hooked FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION append_messages_hooked TO ${system};`);
    await runner.query('RESET ROLE');
    await runner.query(`REVOKE CREATE ON SCHEMA public FROM ${append}`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

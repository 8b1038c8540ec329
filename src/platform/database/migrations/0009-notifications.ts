import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { FUNCTIONS } from './0009/functions';
import { TABLES } from './0009/tables';
import { roleNames } from '../roles';

const FUNCTION_NAMES = 'notification_spread, notification_create, notification_read, subscription_create';

/**
 * Notifications and subscriptions. The system role settles deliveries of all tenants in one statement; it sees neither
 * what a notification says nor who subscribed.
 */
export class Notifications1764288000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    const [tenant, system] = [quote(roles.tenant), quote(roles.system)];
    const own = `tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid`;
    await runner.query(TABLES);
    for (const table of ['notifications', 'notification_deliveries', 'subscriptions'])
      await runner.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_rows ON ${table} TO ${tenant} USING (${own}) WITH CHECK (${own});
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${tenant};`);
    await runner.query(FUNCTIONS);
    await runner.query(`
      CREATE POLICY system_rows ON notification_deliveries TO ${system} USING (true) WITH CHECK (true);
      GRANT SELECT, UPDATE ON notification_deliveries TO ${system};
      REVOKE ALL ON FUNCTION ${FUNCTION_NAMES} FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION ${FUNCTION_NAMES} TO ${tenant};`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

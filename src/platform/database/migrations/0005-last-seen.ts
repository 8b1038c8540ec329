import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { roleNames } from '../roles';

/**
 * Lets the system role write when users were last connected: once a second for the users of all tenants, in one
 * statement. It sees who there is and when they were last seen, and can change nothing else of them.
 */
export class LastSeen1763942400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const system = quote(roleNames(row?.role_prefix ?? '').system);
    await runner.query(`
      GRANT SELECT (tenant_id, user_id, last_seen_at), UPDATE (last_seen_at) ON users TO ${system};
      CREATE POLICY system_rows ON users TO ${system} USING (true) WITH CHECK (true);`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

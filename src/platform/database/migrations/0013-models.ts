import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { FUNCTIONS } from './0013/functions';
import { TABLES } from './0013/tables';
import { roleNames } from '../roles';

const FUNCTION_NAMES = 'channel_create, preset_create';

/** Model channels and presets (docs/adr/0021). Only their tenant sees them: nothing is done with them for all at once. */
export class Models1764633600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const tenant = quote(roleNames(row?.role_prefix ?? '').tenant);
    const own = `tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid`;
    await runner.query(TABLES);
    for (const table of ['model_channels', 'presets'])
      await runner.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_rows ON ${table} TO ${tenant} USING (${own}) WITH CHECK (${own});
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${tenant};`);
    await runner.query(FUNCTIONS);
    await runner.query(`
      REVOKE ALL ON FUNCTION ${FUNCTION_NAMES} FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION ${FUNCTION_NAMES} TO ${tenant};`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

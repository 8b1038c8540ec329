import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { CLAIM } from './0008/claim';
import { roleNames } from '../roles';

/**
 * What the worker needs of the jobs table (docs/adr/0017): indexes that lead from tenant to tenant and kind to kind past
 * any backlog, and the claim. Vacuum comes early: a busy queue turns its whole table over within minutes, and a claim
 * walks over what is dead at the front of each tenant.
 */
export class JobsWorker1764201600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    await runner.query(`
      ALTER TABLE jobs ADD COLUMN ended_at timestamptz(3);
      ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
      CREATE INDEX jobs_queued ON jobs (tenant_id, kind, run_at, id) INCLUDE (key) WHERE state = 'queued';
      CREATE INDEX jobs_running ON jobs (tenant_id, kind, key) WHERE state = 'running';
      CREATE INDEX jobs_leases ON jobs (kind, lease_until) WHERE state = 'running';
      CREATE INDEX jobs_dead ON jobs (tenant_id, kind, ended_at, id) WHERE state = 'dead';
      CREATE INDEX jobs_ended ON jobs (ended_at) WHERE state = 'dead';
      DROP INDEX jobs_due;`);
    await runner.query(CLAIM);
    const claim = 'FUNCTION jobs_claim';
    await runner.query(`REVOKE ALL ON ${claim} FROM PUBLIC; GRANT EXECUTE ON ${claim} TO ${quote(roles.system)};`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

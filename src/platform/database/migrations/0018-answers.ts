import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { CLAIM } from './0018/claim';
import { FUNCTIONS } from './0018/functions';
import { roleNames } from '../roles';

const OF_TENANTS = `budget_spent(uuid, text), chat_answer_again(uuid, uuid, uuid, bigint, text), run_begin(uuid, uuid, text)`;
const CLAIMS = `jobs_claim(text[], integer[], integer[], integer[], integer[], text[], integer[], text[], integer[], bigint,
  uuid, text, integer)`;

/**
 * Answers that may not begin (docs/adr/0022): budgets are asked on every way a run begins, a tenant and its users have so
 * many at once, and with its question an answer goes. `runs.options`: what the model is asked with beyond the preset, as
 * the request said it, in its order.
 */
export class Answers1765065600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    await runner.query('ALTER TABLE runs ADD COLUMN options json');
    await runner.query(FUNCTIONS);
    await runner.query(CLAIM);
    await runner.query(`
      REVOKE ALL ON FUNCTION ${OF_TENANTS}, ${CLAIMS} FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION ${OF_TENANTS} TO ${quote(roles.tenant)};
      GRANT EXECUTE ON FUNCTION ${CLAIMS} TO ${quote(roles.system)};`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { APPEND, APPEND_HOOKED } from './0014/append';
import { FUNCTIONS } from './0014/functions';
import { TABLES } from './0014/tables';
import { roleNames } from '../roles';

const APPENDS = `append_messages(boolean, uuid[], uuid[], uuid[], text[], text[], bytea[], text[], text[], integer[], text[],
  text[], text[], integer[], text[], bigint[], text[])`;
const HOOKED = `append_messages_hooked(boolean, uuid[], uuid[], uuid[], text[], text[], bytea[], text[], text[], integer[],
  text[], text[], text[], integer[], text[], bigint[], text[], uuid[], text[], bigint[])`;

/**
 * Chats with a model (docs/adr/0022). The system role writes tokens and purges them; it reads no chat. The append makes a
 * run with its message and ends it with its answer.
 */
export class Chats1764720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    const [tenant, system, append] = [quote(roles.tenant), quote(roles.system), quote(roles.append)];
    const own = `tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid`;
    await runner.query(TABLES);
    for (const table of ['chats', 'runs', 'run_chunks'])
      await runner.query(`
        ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
        CREATE POLICY tenant_rows ON ${table} TO ${tenant} USING (${own}) WITH CHECK (${own});
        GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${tenant};`);
    for (const table of ['runs', 'run_chunks'])
      await runner.query(`CREATE POLICY system_rows ON ${table} TO ${system} USING (true) WITH CHECK (true)`);
    await runner.query(`
      CREATE POLICY append_rows ON runs TO ${append} USING (true) WITH CHECK (true);
      GRANT SELECT (tenant_id, run_id, state, fence, is_cancelled) ON runs TO ${system};
      GRANT SELECT (tenant_id, run_id, first_index, expires_at), INSERT, DELETE ON run_chunks TO ${system};
      GRANT SELECT, INSERT, UPDATE ON runs TO ${append};
      GRANT SELECT (tenant_id, kind, payload) ON jobs TO ${append};`);
    await runner.query(FUNCTIONS);
    await runner.query(`
      REVOKE ALL ON FUNCTION chat_room, chat_json, chat_create, chat_update, chat_delete, chat_clear, chat_answer_again,
        run_begin, run_chunks_write FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION chat_room, chat_json, chat_create, chat_update, chat_delete, chat_clear,
        chat_answer_again, run_begin TO ${tenant};
      GRANT EXECUTE ON FUNCTION run_chunks_write TO ${system};`);
    await runner.query(`GRANT CREATE ON SCHEMA public TO ${append}`);
    await runner.query(`SET LOCAL ROLE ${append}`);
    await runner.query(APPEND);
    await runner.query(APPEND_HOOKED);
    await runner.query(`
      REVOKE ALL ON FUNCTION ${APPENDS}, ${HOOKED} FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION ${APPENDS}, ${HOOKED} TO ${system};`);
    await runner.query('RESET ROLE');
    await runner.query(`REVOKE CREATE ON SCHEMA public FROM ${append}`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

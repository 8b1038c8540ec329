import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { APPEND } from './0001/append';
import { IDEMPOTENCY_FUNCTIONS } from './0001/idempotency';
import { MEMBER_FUNCTIONS } from './0001/members';
import { MESSAGE_FUNCTIONS } from './0001/messages';
import { ROOM_FUNCTIONS } from './0001/rooms';
import { securitySql } from './0001/security';
import { TABLES } from './0001/tables';
import { roleNames, rolePrefix } from '../roles';

/** The first schema: tenants, keys, users, rooms, the message log, jobs and idempotency keys, with their roles. */
export class Foundation1763600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Functions name tables and functions that come later in the same migration.
    await runner.query('SET LOCAL check_function_bodies = off');
    for (const sql of [TABLES, MESSAGE_FUNCTIONS, ROOM_FUNCTIONS, MEMBER_FUNCTIONS, IDEMPOTENCY_FUNCTIONS, APPEND])
      await runner.query(sql);
    const rows = (await runner.query('SELECT current_database() AS name')) as { name: string }[];
    const prefix = rolePrefix(rows[0]?.name ?? '');
    await runner.query('INSERT INTO instance (role_prefix) VALUES ($1)', [prefix]);
    await runner.query(securitySql(roleNames(prefix)));
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

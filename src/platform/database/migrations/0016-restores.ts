import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { roleNames } from '../roles';
import { quote } from './0001/security';
import { RESTORE_FUNCTIONS } from './0016/functions';

/**
 * What makes a restore of a backup visible (docs/adr/0023-restores.md): the epoch is raised by one function, the data
 * directory is known again by what it looked like at its last start, a position can be held against the message that it
 * names, and the beginning of a room's log can move.
 */
export class Restores1764892800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    await runner.query('ALTER TABLE instance ADD COLUMN directory jsonb');
    await runner.query('ALTER TABLE rooms ADD COLUMN first_rev bigint NOT NULL DEFAULT 0');
    await runner.query(RESTORE_FUNCTIONS);
    await runner.query(`
      REVOKE ALL ON FUNCTION raise_epoch, message_at, room_keeps, room_trim FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION raise_epoch TO ${quote(roles.system)};
      GRANT EXECUTE ON FUNCTION message_at, room_keeps, room_trim TO ${quote(roles.tenant)};`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

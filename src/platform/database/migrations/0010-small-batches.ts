import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { APPEND } from './0010/append';
import { roleNames } from '../roles';

/**
 * A cheaper append for small batches (docs/adr/0010), and message ids that are unique in their tenant.
 *
 * Ids rise with time (UUIDv7): without the room in front every new one goes to the right end of one index, not to the
 * end of each room's part of it.
 */
export class SmallBatches1764374400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    await runner.query(`
      ALTER INDEX messages_id RENAME TO messages_room_id;
      CREATE UNIQUE INDEX messages_id ON messages (tenant_id, message_id);
      DROP INDEX messages_room_id;`);
    await runner.query(`GRANT CREATE ON SCHEMA public TO ${quote(roles.append)}`);
    await runner.query(`SET LOCAL ROLE ${quote(roles.append)}`);
    await runner.query(APPEND);
    await runner.query('RESET ROLE');
    await runner.query(`REVOKE CREATE ON SCHEMA public FROM ${quote(roles.append)}`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

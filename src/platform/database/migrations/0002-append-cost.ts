import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { APPEND } from './0002/append';
import { roleNames } from '../roles';

/**
 * A cheaper append (docs/adr/0010): no foreign key from messages, a function without joins between lists.
 *
 * Only the append function inserts messages, for rooms whose rows it holds locked, so the key checked per row what was
 * known already; the tenant role loses its right to insert, which makes that a rule. Whoever deletes a room's row
 * deletes its messages first.
 *
 * The index of the order of joining becomes partial: with (tenant_id, room_id) in front it costs the planner as much as
 * the primary key when it looks for one member, and then reads all members of the room.
 */
export class AppendCost1763683200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    const roles = roleNames(row?.role_prefix ?? '');
    await runner.query(`
      ALTER TABLE messages DROP CONSTRAINT messages_tenant_id_room_id_fkey;
      REVOKE INSERT ON messages FROM ${quote(roles.tenant)};
      ALTER TABLE room_members DROP CONSTRAINT room_members_tenant_id_room_id_member_no_key;
      CREATE UNIQUE INDEX room_members_order ON room_members (tenant_id, room_id, member_no) WHERE member_no > 0;`);
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

import { type MigrationInterface, type QueryRunner } from 'typeorm';
import { quote } from './0001/security';
import { roleNames } from '../roles';

/**
 * What sync reads of the cursors, for statements of rooms and of messages: a connection costs two statements then and not
 * four. Both without SET, so that they are inlined. Members come in order: with a LIMIT alone the planner reads those of
 * all rooms. A position that is older than the membership counts as the seq at
 * which the member joined.
 */
const FUNCTIONS = `
CREATE FUNCTION cursor_of(p_tenant uuid, p_room uuid, p_user text)
RETURNS TABLE (acked_seq bigint, read_seq bigint)
LANGUAGE sql STABLE AS $f$
  SELECT c.acked_seq, c.read_seq FROM cursors c
  WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = p_user
$f$;

CREATE FUNCTION read_marks(p_tenant uuid, p_room uuid, p_most bigint)
RETURNS TABLE (user_id text, read_seq bigint)
LANGUAGE sql STABLE AS $f$
  SELECT m.user_id, c.read_seq
  FROM (SELECT m.user_id, m.joined_seq FROM room_members m
    WHERE m.tenant_id = p_tenant AND m.room_id = p_room ORDER BY m.user_id LIMIT p_most) m
  CROSS JOIN LATERAL (SELECT c.read_seq FROM cursors c
    WHERE c.tenant_id = p_tenant AND c.room_id = p_room AND c.user_id = m.user_id OFFSET 0) c
  WHERE c.read_seq > m.joined_seq
$f$;`;

/** Functions for sync (docs/adr/0015-sync.md). */
export class Sync1764028800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [row] = (await runner.query('SELECT role_prefix FROM instance')) as { role_prefix: string }[];
    await runner.query(FUNCTIONS);
    await runner.query(`
      REVOKE ALL ON FUNCTION cursor_of, read_marks FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION cursor_of, read_marks TO ${quote(roleNames(row?.role_prefix ?? '').tenant)};`);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('Migrations go forward only; restore a backup instead'));
  }
}

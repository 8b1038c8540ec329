import { quote } from '../0001/security';
import type { RoleNames } from '../0001/security';

/** One row per run of consecutive messages of one member in one room; runs of a member neither overlap nor touch. */
export const DEAD_LETTERS_TABLE = `
CREATE TABLE dead_letters (
  tenant_id uuid NOT NULL,
  room_id uuid NOT NULL,
  user_id text COLLATE "C" NOT NULL,
  from_seq bigint NOT NULL,
  to_seq bigint NOT NULL,
  letter_no bigint NOT NULL,
  attempts integer NOT NULL,
  last_attempt_at timestamptz(3) NOT NULL,
  error text NOT NULL,
  PRIMARY KEY (tenant_id, room_id, user_id, from_seq),
  CHECK (from_seq <= to_seq),
  FOREIGN KEY (tenant_id, room_id, user_id) REFERENCES room_members ON DELETE CASCADE
);
CREATE INDEX dead_letters_newest ON dead_letters (tenant_id, last_attempt_at);
CREATE INDEX dead_letters_no ON dead_letters (tenant_id, letter_no);
-- Whether the member may have dead letters in the room: an ack looks for them only then.
ALTER TABLE cursors ADD COLUMN has_dead_letters boolean NOT NULL DEFAULT false;
`;

/** The functions that are new, with the types of their parameters. */
const FUNCTIONS = [
  'dead_letter_id(bigint, bigint)',
  'dead_letter_no(uuid)',
  'dead_letter_seq(uuid)',
  'dead_letters_acked(uuid, uuid, text, bigint)',
  'dead_letters_add(uuid, uuid, text, bigint, bigint, integer, text)',
  'dead_letters_drop(uuid, uuid)',
  'dead_letters_page(uuid, integer)',
  'dead_letters_replay(uuid, uuid[], uuid, text, timestamptz, uuid, text, bigint, integer)',
  'cursor_positions(uuid, text, uuid[])',
].join(', ');

/** Forced row-level security as on every table of a tenant; the system role counts. */
export function deadLettersSecurity(roles: RoleNames): string {
  const own = `tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid`;
  return `
    ALTER TABLE dead_letters ENABLE ROW LEVEL SECURITY;
    ALTER TABLE dead_letters FORCE ROW LEVEL SECURITY;
    CREATE POLICY tenant_rows ON dead_letters TO ${quote(roles.tenant)} USING (${own}) WITH CHECK (${own});
    CREATE POLICY system_rows ON dead_letters TO ${quote(roles.system)} USING (true) WITH CHECK (true);
    GRANT SELECT, INSERT, UPDATE, DELETE ON dead_letters TO ${quote(roles.tenant)};
    GRANT SELECT ON dead_letters TO ${quote(roles.system)};
    REVOKE ALL ON FUNCTION ${FUNCTIONS} FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION ${FUNCTIONS} TO ${quote(roles.tenant)};`;
}

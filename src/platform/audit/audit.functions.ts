import { Injectable } from '@nestjs/common';
import { schemaFunction, value } from '../database';
import { eraseFunction, EraseStep, type EraseWork } from '../tenant-data';

/** Whose chain, who, what and what of. `p_actor` is left out for a user, who is `p_actor_user`. */
const ROW = {
  p_ipad: 'bytea',
  p_opad: 'bytea',
  p_key_id: 'text',
  p_actor: 'text?',
  p_actor_user: 'text?',
  p_action: 'text',
  p_target: 'text?',
  p_entry: 'jsonb',
  p_address: 'text?',
} as const;

/** Adds a row, as the last thing of a transaction; returns its number. */
export const auditAppend = schemaFunction('audit_append', { ...ROW, p_user: 'text?' }, value<number>('bigint'));

/** Writes what a function's answer says of itself in `audit`, and hands the answer through without it. */
export const auditResult = schemaFunction('audit_result', { ...ROW, p_result: 'jsonb' }, value<unknown>('jsonb'));

/** Forgets whom a ref of the audit log means. */
@Injectable()
@EraseStep('audit')
export class AuditErase implements EraseWork {
  readonly batch = eraseFunction('audit_erase');
}

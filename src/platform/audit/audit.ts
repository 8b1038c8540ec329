import { Injectable } from '@nestjs/common';
import { encodeId } from '../../common/ids';
import type { AuditTrail, Caller } from '../auth';
import type { Sql } from '../database';
import { Secrets } from '../secrets';
import { AUDIT_ACTIONS, type ActionRule, type AuditAction, type AuditDetails, type AuditEntry } from './actions';
import { auditAppend } from './audit.functions';
import { padsOf } from './chain';
import { changesOf } from './changes';

type RowArgs = Parameters<typeof auditAppend.callIn>[2];

/** An action that a function of the schema does: what was before and after, and whom it is about, the function says. */
export interface FunctionAudit<A extends AuditAction = AuditAction> {
  readonly action: A;
  readonly target?: string | undefined;
  readonly details?: AuditDetails<A> | undefined;
}

/** Writes to the audit log (docs/adr/0029), in the transaction of what is done. */
@Injectable()
export class Audit {
  constructor(private readonly secrets: Secrets) {}

  /**
   * Writes a row; nothing where `before` and `after` are the same. To be the last statement of its transaction: it locks the
   * chain of the tenant until the commit.
   * @param tenantId whose chain; INSTALLATION is the installation's
   * @param action one that the route declares (`@Audited`)
   */
  async write<A extends AuditAction>(
    tx: Sql,
    tenantId: string,
    caller: Caller,
    action: A,
    entry: AuditEntry<A>,
  ): Promise<void> {
    const changes = changesOf(AUDIT_ACTIONS[action].fields, entry.before, entry.after);
    if (changes === undefined) {
      this.nothing(caller);
      return;
    }
    const args = this.argumentsOf(tenantId, caller, { action, ...entry });
    await auditAppend.callIn(tx, tenantId, {
      ...args,
      p_entry: { ...args.p_entry, ...changes },
      p_user: entry.user,
    });
    trailOf(caller, action).rows++;
  }

  /** Says that a call has changed nothing, so that no row of it is missed. */
  nothing(caller: Caller): void {
    if (caller.audit !== undefined) caller.audit.isNothing = true;
  }

  /** Notes what `audit_result` has made of a function's answer. */
  told(caller: Caller, result: unknown): void {
    if (caller.audit === undefined) return;
    if ((result as { readonly audited?: boolean } | undefined)?.audited === true) caller.audit.rows++;
    else caller.audit.isNothing = true;
  }

  /** The arguments of `audit_append` and `audit_result` that are known before the action. */
  argumentsOf(tenantId: string, caller: Caller, { action, target, details }: FunctionAudit): Omit<RowArgs, 'p_user'> {
    const { keyId, key } = this.secrets.auditKey(tenantId);
    const { ipad, opad } = padsOf(key);
    const user = caller.optionalUserId;
    const by = caller.keyId === undefined ? undefined : encodeId('key', caller.keyId);
    const kind = (AUDIT_ACTIONS[action] satisfies ActionRule).target;
    return {
      p_ipad: ipad,
      p_opad: opad,
      p_key_id: keyId,
      p_actor: user === undefined ? (by === undefined ? 'master' : `key:${by}`) : undefined,
      p_actor_user: user,
      p_action: action,
      p_target: kind === null || target === undefined ? undefined : `${kind}:${target}`,
      p_entry: { before: null, after: null, details: details ?? null, request_id: caller.requestId, key: by ?? null },
      p_address: trailOf(caller, action).address,
    };
  }
}

/** Throws where the route does not declare the action: what is checked at the boot would then prove nothing. */
function trailOf({ audit }: Caller, action: AuditAction): AuditTrail {
  if (audit?.actions.includes(action) !== true) throw new Error(`the route does not declare that it does ${action}`);
  return audit;
}

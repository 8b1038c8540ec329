/**
 * The audit log: what administrators did, who, to what, from where, when (docs/adr/0029).
 *
 * Owns the tables audit_log, audit_heads, audit_subjects. Invariants: a row is written in the transaction of its action, so
 * there is neither without the other; each row's mac holds the one before it, so none can be altered, removed or put in
 * unnoticed without the key; no user's id, no text of theirs and no secret stands in what is hashed. A route of
 * administrators that changes something declares its actions, or the server does not start; a call of it that succeeds
 * without a row is logged and counted. Concurrency: a tenant's rows are written one after the other, under its head, which
 * is locked by the last statement of each transaction.
 */
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Audit } from './audit';
import { AuditErase } from './audit.functions';
import { AuditRepository } from './audit.repository';
import { AuditHeadEntity, AuditLogEntity, AuditSubjectEntity } from './entities/audit.entity';

export { AUDIT_ACTIONS, type AuditAction, type AuditEntry, type AuditFields, shownUrl } from './actions';
export { Audit, type FunctionAudit } from './audit';
export { auditResult } from './audit.functions';
export { type AuditFilter, AuditRepository, type AuditRow } from './audit.repository';
export { Audited, checkAudited, NotAudited } from './audited';
export {
  type ChainFault,
  type ChainPage,
  type ChainPoint,
  type ChainProof,
  INSTALLATION,
  NO_MAC,
  proveBehind,
} from './chain';

@Module({
  imports: [TypeOrmModule.forFeature([AuditLogEntity, AuditHeadEntity, AuditSubjectEntity])],
  providers: [Audit, AuditErase, AuditRepository],
  exports: [Audit, AuditRepository],
})
export class AuditModule {}

import { Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { In } from 'typeorm';
import { encodeId } from '../../../common/ids';
import { Audit, AuditRepository, INSTALLATION } from '../../../platform/audit';
import { AuditTrail, Caller } from '../../../platform/auth';
import { Database, SystemDatabase, type Transaction } from '../../../platform/database';
import { Secrets } from '../../../platform/secrets';
import { lockTenantForGood, removeTenant } from '../../tenants';
import { TenantDeletionEntity } from '../entities/tenant-deletion.entity';
import { type DeletionRef, tenantDeletionProceed } from './deletion.functions';
import { TenantRowsRepository } from './rows.repository';

/** Of the last transaction: it looks into every table, of which one may be full of dead rows. */
const END_MS = 30_000;
/** Characters of what is kept of an error. */
const MOST_ERROR = 500;

/** What the last transaction has found: it has ended the deletion; tables still have rows; there was nothing to end. */
export type Ended = 'done' | 'left' | 'over';

/** The rows of deletions, and the ends of tenants. */
@Injectable()
export class DeletionsRepository {
  constructor(
    private readonly database: Database,
    private readonly system: SystemDatabase,
    private readonly rows: TenantRowsRepository,
    private readonly audit: Audit,
    private readonly chains: AuditRepository,
    private readonly secrets: Secrets,
  ) {}

  /** The newest one of a tenant, which need not be there any more. */
  async find(tenantId: string): Promise<Readonly<TenantDeletionEntity> | undefined> {
    const found = await this.database.repository(TenantDeletionEntity, tenantId).findOneBy({ tenant_id: tenantId });
    return found ?? undefined;
  }

  /** Asks whether to go on; the first time that is so it says `deleting` from then on. */
  proceed({ tenantId, deletionId }: DeletionRef): ReturnType<typeof tenantDeletionProceed.call> {
    return tenantDeletionProceed.call(this.database, tenantId, { p_deletion: deletionId });
  }

  /** It is given up, until somebody asks for it again. */
  async fail({ tenantId, deletionId }: DeletionRef, error: string): Promise<void> {
    const failed = { state: 'failed', error: error.slice(0, MOST_ERROR) } as const;
    await this.database
      .repository(TenantDeletionEntity, tenantId)
      .update({ tenant_id: tenantId, deletion_id: deletionId, state: In(['waiting', 'deleting']) }, failed);
  }

  /**
   * Ends the deletion, where no table has a row of the tenant beside those that it stands on itself: these, the tenant's own and
   * the job, go with this transaction, which leaves a row in the installation's audit log. Nothing can be added meanwhile: what
   * refers to the tenant waits for its row, and then finds none.
   */
  async end({ tenantId, deletionId }: DeletionRef): Promise<Ended> {
    return this.system.transaction(
      'end the deletion of a tenant',
      async (tx) => {
        const name = await lockTenantForGood(tx, tenantId);
        if (name === undefined) return 'over';
        const last = await this.system.ofTenant(tx, tenantId, () => this.endOwn(tx, { tenantId, deletionId }));
        if (typeof last === 'string') return last;
        await removeTenant(tx, tenantId);
        const { deletion, head } = last;
        await this.audit.write(tx, INSTALLATION, askedBy(deletion), 'tenant.deleted', {
          target: encodeId('tenant', tenantId),
          details: {
            deletion: encodeId('deletion', deletionId),
            name: this.hashed(tenantId, name),
            rows: Object.values(deletion.deleted).reduce((sum, n) => sum + n, 0),
            counts: deletion.deleted,
            audit_rows: head?.n ?? 0,
            audit_mac: head?.mac.toString('hex'),
          },
        });
        return 'done';
      },
      END_MS,
    );
  }

  /** The part of it that the tenant role does. */
  private async endOwn(tx: Transaction, { tenantId, deletionId }: DeletionRef): Promise<Ended | LastWords> {
    const { state } = await tenantDeletionProceed.callIn(tx, tenantId, { p_deletion: deletionId });
    if (state !== 'deleting') return 'over';
    if ((await this.rows.left(tx, tenantId)).length > 0) return 'left';
    const head = await this.chains.headIn(tx, tenantId);
    await this.rows.removeLast(tx, tenantId);
    const deletions = tx.repository(TenantDeletionEntity);
    const done = { state: 'done', finished_at: () => 'clock_timestamp()' } as const;
    await deletions.update({ tenant_id: tenantId }, done);
    return { deletion: await deletions.findOneByOrFail({ tenant_id: tenantId }), head };
  }

  /** Who has the key and the name can tell that it was this one. */
  private hashed(tenantId: string, name: string): string {
    const { key } = this.secrets.auditKey(tenantId);
    return createHmac('sha256', key).update(`name ${name}`).digest('hex');
  }
}

interface LastWords {
  readonly deletion: Readonly<TenantDeletionEntity>;
  readonly head: Awaited<ReturnType<AuditRepository['headIn']>>;
}

/** The call that asked for the deletion, which is over by now: it is what the log shows. */
function askedBy({ request_id, address }: Readonly<TenantDeletionEntity>): Caller {
  const caller = new Caller('master', request_id, undefined, undefined, undefined, []);
  caller.audit = new AuditTrail(['tenant.deleted'], { ip: address ?? '' });
  return caller;
}

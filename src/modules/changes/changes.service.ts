import { Injectable } from '@nestjs/common';
import { AppError, unavailable } from '../../common/errors';
import type { Caller } from '../../platform/auth';
import { Database, Epoch } from '../../platform/database';
import { askedPage, cursorOf } from '../../platform/http';
import { type ChangeDto, changeView } from '../messages';
import { feedAsked, type FeedItem, type FeedPage, feedPage } from './changes.functions';
import { CollectedTenants } from './collected-tenants';
import type { TenantChangesDto, TenantChangesQueryDto } from './dto/changes.dto';

/** Of the log, entries that were read whole, and up to which revision the one after them. */
const POSITION = ['integer', 'integer', 'integer'] as const;

/** The feed of a tenant's changes, as its back ends read it. */
@Injectable()
export class ChangesService {
  constructor(
    private readonly database: Database,
    private readonly epoch: Epoch,
    private readonly collected: CollectedTenants,
  ) {}

  /** @throws 400, 410 with a fresh cursor, 503 */
  async page(caller: Caller, { after, limit: asked }: TenantChangesQueryDto): Promise<TenantChangesDto> {
    const query = {
      ...(after === undefined ? {} : { cursor: after }),
      ...(asked === undefined ? {} : { limit: asked }),
    };
    const { after: at, limit } = askedPage(query, POSITION, 'after');
    const { tenantId } = caller;
    // Before the rows: under a later epoch than theirs a client would take them for rows of the new log.
    const epoch = await this.epoch.readEpoch();
    const isOld = at !== undefined && at[0] !== epoch;
    const [no, rev] = at === undefined || isOld ? [null, null] : [at[1], at[2]];
    const args = { p_epoch: epoch, p_no: no, p_rev: rev, p_limit: limit };
    const found = await feedPage.call(this.database, tenantId, args);
    const last = await this.asked(tenantId, epoch, found);
    if (at !== undefined && (isOld || found.status !== 'ok')) throw expired([epoch, last ?? found.no, 0]);
    if (last !== undefined) return { changes: [], next: cursorOf([epoch, last, 0]), has_more: false, epoch };
    const next = cursorOf([epoch, found.no, found.rev]);
    return { changes: found.items.map(viewOf), next, has_more: found.more, epoch };
  }

  /** Sees to it that changes are collected. @returns where the feed stands, where it did not go on until now */
  private async asked(tenantId: string, epoch: number, found: FeedPage): Promise<number | undefined> {
    if (found.status !== 'off' && !found.stale) return undefined;
    const start = await feedAsked.call(this.database, tenantId, { p_epoch: epoch });
    // Another node has learned of a failover or a restore before this one.
    if (start === null) throw unavailable('The database has begun a new epoch that this node is still to learn of');
    if (start.begins) this.collected.begin(tenantId);
    return found.status === 'off' ? start.last_no : undefined;
  }
}

/** A refusal that says where to go on. */
function expired(fresh: readonly number[]): AppError {
  return new AppError('CURSOR_EXPIRED', 'Changes behind this cursor are kept no more: read your rooms anew', {
    field: 'after',
    details: { cursor: cursorOf(fresh) },
  });
}

function viewOf({ room_id, rev, type, message, payload = {} }: FeedItem): ChangeDto {
  return changeView(room_id, message === undefined ? { rev, type, payload } : { ...message, type, payload: null });
}

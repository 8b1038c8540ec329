import { Inject, Injectable } from '@nestjs/common';
import { TenantBatching } from '../../common/batching';
import { isUnavailable, unavailable } from '../../common/errors';
import { DatabaseConfig } from '../../config';
import { Availability, isRetryable } from '../../platform/database';
import { cursorAdvance, type Tried } from './delivery.functions';
import { DeliveryRepository, type Move, type MoveResult } from './delivery.repository';

/** Moves of one statement. */
const MOST = 500;
/** Moves of a tenant that wait, at most. */
export const MOST_WAITING = 20_000;
/** Moves after which it is asked whether the cursors have outgrown the planner's statistics. */
const RENEWED_EVERY = 1000;
/** In ms: a call ends by its own deadline first, and knows better what has become of it. */
const GRACE_MS = 250;

const BUSY: Tried = { status: 'busy' };

/** A move on its way, with its caller, which is answered once. */
interface Waiting {
  readonly move: Move;
  /** A call that may have moved it is under way. */
  isTried: boolean;
  /** Its caller has given up: what has not been tried is not tried any more. */
  isOver: boolean;
}

/**
 * Moves of one tenant's cursors that come while others are under way go together in the next statement; a lone one goes at
 * once. What is held by another transaction is left out of its group and waits for it alone, so that nobody waits for the
 * trouble of somebody else; so does each of a group that failed of itself, since any of them may be why.
 *
 * Invariants: of a tenant two calls are under way at a time at most, one for groups and one for what waits alone; a caller
 * is answered within the deadline of a call to the database.
 */
@Injectable()
export class CursorGroups {
  private readonly groups = new TenantBatching<Waiting, Tried>(
    (tenantId, group) => this.together(tenantId, group),
    MOST,
  );
  private moves = 0;
  private readonly alone = new TenantBatching<Waiting, MoveResult>((tenantId, [one]) => this.one(tenantId, one), 1);

  constructor(
    @Inject(DeliveryRepository)
    private readonly repository: Pick<DeliveryRepository, 'advance' | 'tryAdvance' | 'renewStatistics'>,
    @Inject(Availability) private readonly availability: Pick<Availability, 'check'>,
    @Inject(DatabaseConfig) private readonly config: Pick<DatabaseConfig, 'deadlineMs'>,
  ) {}

  /**
   * Moves a cursor. Throws 404 and 403 where there is no room or no member, 400 beyond the room's last_seq, 503 while the
   * database is away, where it takes too long, and where too many moves of the tenant wait already.
   */
  async advance(tenantId: string, move: Move): Promise<MoveResult> {
    this.availability.check();
    if (++this.moves % RENEWED_EVERY === 0)
      // Where it fails the next thousand ask again.
      this.repository.renewStatistics().catch(() => undefined);
    if (this.groups.pending(tenantId) + this.alone.pending(tenantId) >= MOST_WAITING)
      throw unavailable('Too many acknowledgements are waiting. Try again in a moment');
    const waiting: Waiting = { move, isTried: false, isOver: false };
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        waiting.isOver = true;
        const outcome = waiting.isTried ? 'unknown' : 'none';
        reject(unavailable('The database did not answer in time', { outcome }));
      }, this.config.deadlineMs + GRACE_MS);
    });
    try {
      return await Promise.race([this.moved(tenantId, waiting), overdue]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async moved(tenantId: string, waiting: Waiting): Promise<MoveResult> {
    const tried = await this.groups.submit(tenantId, waiting);
    if (tried.status !== BUSY.status) return cursorAdvance.returns.read(tried);
    waiting.isTried = false;
    return this.alone.submit(tenantId, waiting);
  }

  private async together(tenantId: string, group: readonly Waiting[]): Promise<readonly Tried[]> {
    const wanted = group.filter(({ isOver }) => !isOver);
    for (const waiting of wanted) waiting.isTried = true;
    const said = new Map<Waiting, Tried>();
    try {
      const tried = await this.repository.tryAdvance(
        tenantId,
        wanted.map(({ move }) => move),
      );
      wanted.forEach((waiting, i) => said.set(waiting, tried[i] ?? BUSY));
    } catch (error) {
      // What became of a call that the database did not answer holds for all in it; nothing else is tried on it.
      if (isUnavailable(error) && !isRetryable(error.cause)) throw error;
    }
    return group.map((waiting) => said.get(waiting) ?? BUSY);
  }

  private async one(tenantId: string, waiting: Waiting | undefined): Promise<MoveResult[]> {
    if (waiting === undefined || waiting.isOver) return [];
    waiting.isTried = true;
    return [await this.repository.advance(tenantId, waiting.move)];
  }
}

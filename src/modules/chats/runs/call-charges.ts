import { Injectable } from '@nestjs/common';
import { isUnavailable } from '../../../common/errors';
import { newUuid } from '../../../common/ids';
import { OnStop, StopStage } from '../../../platform/lifecycle';
import { describeError, Log } from '../../../platform/logging';
import { type AnswerBound, CallCharges, type ChargedCall, type ModelUsage } from '../../models';
import { retryWhileAway, RunsRepository, type TokenReservation, type UsedTokens } from './runs.repository';

/** A call that is no run's takes no longer. */
const MAX_CALL_MS = 30 * 60_000;

/** The charge of a call that runs; whoever has it ends it. */
export interface CallCharge {
  /** What the call may use; undefined: it stands under no budget. */
  readonly bound: TokenReservation | undefined;
  /** Aborts with the call's own, and when it has taken half an hour. */
  readonly signal: AbortSignal;
  /** Once; never throws. @param used undefined: no model had begun; null: it is not known, its context at least */
  endCharge(used: ModelUsage | undefined | null): Promise<void>;
}

/**
 * The charges of calls that are no run's: each has one of its own, with an id of its own.
 *
 * Invariants: nothing is done before what the call may use is reserved; whichever way it ends (its answer, a fault, the
 * leaving of who asked, the server's stop), its charge ends with it, once. A server that is killed leaves the charge open for
 * little more than an hour of its tenant's use: a call takes half of that, and what is older the next reservation ends
 * (`charges_fold`).
 */
@Injectable()
export class OwnCallCharges extends CallCharges {
  private readonly ending = new Set<Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly runs: RunsRepository,
    private readonly log: Log,
  ) {
    super();
  }

  async charged<T extends { readonly usage: ModelUsage | undefined }>(
    call: ChargedCall,
    work: (bound: AnswerBound | undefined) => Promise<T>,
  ): Promise<T> {
    const charge = await this.beginCharge(call, newUuid());
    let used: ModelUsage | undefined | null = null;
    try {
      const done = await work(charge.bound);
      used = done.usage;
      return done;
    } finally {
      await charge.endCharge(used);
    }
  }

  /**
   * For calls that are done in pieces.
   * @param chargeId UUID of the call
   * @throws 429 QUOTA_EXCEEDED where its context and one token more do not fit
   */
  async beginCharge(call: ChargedCall, chargeId: string): Promise<CallCharge> {
    const { tenantId } = call;
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(MAX_CALL_MS)]);
    const bound = await this.runs.reserve({ ...call, chargeId, chatId: null }, signal);
    return { bound, signal, endCharge: (used) => this.end(tenantId, chargeId, used, bound) };
  }

  /** Waits for one try; where the database is away it is tried on, and the caller goes its way. */
  private async end(
    tenantId: string,
    chargeId: string,
    usage: ModelUsage | undefined | null,
    bound: TokenReservation | undefined,
  ): Promise<void> {
    const used: UsedTokens | null = usage === null ? null : { tokens: usage?.totalTokens ?? 0, cost: usage?.cost };
    try {
      await this.runs.endCall(tenantId, chargeId, used);
    } catch (error) {
      if (isUnavailable(error)) this.endLater(tenantId, chargeId, used);
      else this.tell(tenantId, error);
      return;
    }
    // Does not matter enough to be tried again: the next reservation does the same.
    if (bound !== undefined) await this.runs.settle(tenantId, chargeId).catch(() => undefined);
  }

  private endLater(tenantId: string, chargeId: string, used: UsedTokens | null): void {
    const work = retryWhileAway(this.stopping.signal, () => this.runs.endCall(tenantId, chargeId, used))
      .catch((error: unknown) => this.tell(tenantId, error))
      .finally(() => this.ending.delete(work));
    this.ending.add(work);
  }

  private tell(tenantId: string, error: unknown): void {
    this.log.warn({ tenant_id: tenantId, error: describeError(error) }, 'the charge of a call could not be ended');
  }

  @OnStop(StopStage.workers)
  async ended(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.ending);
  }
}

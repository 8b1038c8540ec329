import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { isUnavailable } from '../../../common/errors';
import { Database } from '../../../platform/database';
import type { AnswerBound, ModelPrices } from '../../models';
import {
  type Begun,
  budgetSpentOf,
  chargeEnd,
  chargeExtend,
  chargeFold,
  chargeReserve,
  runBegin,
  type Spent,
} from '../chats.functions';
import type { RunChunkEntity, RunEntity } from '../entities/run.entity';

export type RunRow = Readonly<
  Pick<RunEntity, 'run_id' | 'reply_to_seq' | 'state' | 'token_count' | 'answer_seq' | 'ended_at' | 'reasoning'>
>;

export type RunPlace = Readonly<Pick<RunEntity, 'room_id' | 'state' | 'ended_at'>> & {
  /** See TurnOptions; null before it has begun, too. */
  readonly previous: string | null;
};

/** Tokens of a run as they were stored. */
export type StoredTokens = Readonly<Pick<RunChunkEntity, 'text' | 'ends'>>;

const UNFINISHED = `state IN ('queued', 'streaming')`;

/** The runs of a tenant; they are made and ended with their messages, by the append. */
@Injectable()
export class RunsRepository {
  constructor(private readonly database: Database) {}

  /** @param params what the model is asked with, as JSON text */
  begin(tenantId: string, runId: string, params: string | null): Promise<Begun> {
    return runBegin.call(this.database, tenantId, { p_run: runId, p_options: params });
  }

  async find(tenantId: string, chatId: string, runId: string): Promise<RunRow | undefined> {
    const [row] = await this.database.query<RunRow>(
      'run',
      tenantId,
      `SELECT run_id, reply_to_seq, state, token_count, answer_seq, ended_at, reasoning FROM runs WHERE tenant_id = $1 AND run_id = $2 AND room_id = $3`,
      [tenantId, runId, chatId],
    );
    return row;
  }

  /** Where a run is, whichever chat's; undefined: the tenant has none of this id. */
  async place(tenantId: string, runId: string): Promise<RunPlace | undefined> {
    const [row] = await this.database.query<RunPlace>(
      'place of a run',
      tenantId,
      `SELECT room_id, state, ended_at, options->>'previous' AS previous FROM runs WHERE tenant_id = $1 AND run_id = $2`,
      [tenantId, runId],
    );
    return row;
  }

  /** The newest run that answers a message. */
  async ofMessage(tenantId: string, chatId: string, seq: number): Promise<string | undefined> {
    const [row] = await this.database.query<{ run_id: string }>(
      'run of a message',
      tenantId,
      `SELECT run_id FROM runs WHERE tenant_id = $1 AND room_id = $2 AND reply_to_seq = $3
       ORDER BY created_at DESC, run_id DESC LIMIT 1`,
      [tenantId, chatId, seq],
    );
    return row?.run_id;
  }

  /** Runs that answer messages after a seq, also those that have ended; oldest first, at most so many. */
  async answering(tenantId: string, chatId: string, afterSeq: number, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ run_id: string }>(
      'runs of messages after',
      tenantId,
      `SELECT run_id FROM runs WHERE tenant_id = $1 AND room_id = $2 AND reply_to_seq > $3
       ORDER BY reply_to_seq, created_at LIMIT $4`,
      [tenantId, chatId, afterSeq, limit],
    );
    return rows.map((row) => row.run_id);
  }

  /** Runs that have not ended: the one that streams first, then those that wait, oldest first. */
  async unfinished(tenantId: string, chatId: string): Promise<string[]> {
    const rows = await this.database.query<{ run_id: string }>(
      'unfinished runs',
      tenantId,
      `SELECT run_id FROM runs WHERE tenant_id = $1 AND room_id = $2 AND ${UNFINISHED}
       ORDER BY state DESC, created_at, run_id`,
      [tenantId, chatId],
    );
    return rows.map((row) => row.run_id);
  }

  /** Tells the chat's runs to stop; those that were not over. @param beforeSeq only those that answer earlier messages */
  async cancel(tenantId: string, chatId: string, beforeSeq: number | null): Promise<string[]> {
    const rows = await this.database.query<{ run_id: string }>(
      'cancel runs',
      tenantId,
      `UPDATE runs SET is_cancelled = true WHERE tenant_id = $1 AND room_id = $2 AND ${UNFINISHED}
       AND ($3::bigint IS NULL OR reply_to_seq < $3) RETURNING run_id`,
      [tenantId, chatId, beforeSeq],
    );
    return rows.map((row) => row.run_id);
  }

  /** Tells one run to stop; it, where it was not over. */
  async cancelOne(tenantId: string, chatId: string, runId: string): Promise<string[]> {
    const rows = await this.database.query<{ run_id: string }>(
      'cancel run',
      tenantId,
      `UPDATE runs SET is_cancelled = true WHERE tenant_id = $1 AND room_id = $2 AND run_id = $3 AND ${UNFINISHED}
       RETURNING run_id`,
      [tenantId, chatId, runId],
    );
    return rows.map((row) => row.run_id);
  }

  /** Ends a run that no answer can be stored for. */
  async abandon(tenantId: string, runId: string, error: string): Promise<void> {
    await this.database.query(
      'abandon run',
      tenantId,
      `UPDATE runs SET state = 'failed', ended_at = clock_timestamp(), error_code = 'INTERNAL_ERROR', error_message = $3
       WHERE tenant_id = $1 AND run_id = $2 AND ${UNFINISHED}`,
      [tenantId, runId, error],
    );
  }

  /** Ends a run of this worker's that is to have no message. */
  async endUnsaid(tenantId: string, runId: string, fence: number): Promise<void> {
    await this.database.query(
      'end run without a message',
      tenantId,
      `UPDATE runs SET state = 'cancelled', ended_at = clock_timestamp()
       WHERE tenant_id = $1 AND run_id = $2 AND fence = $3 AND ${UNFINISHED}`,
      [tenantId, runId, fence],
    );
  }

  async tokens(tenantId: string, runId: string): Promise<StoredTokens> {
    const rows = await this.database.query<{ text: string; ends: number[] }>(
      'run tokens',
      tenantId,
      'SELECT text, ends FROM run_chunks WHERE tenant_id = $1 AND run_id = $2 ORDER BY first_index',
      [tenantId, runId],
    );
    let text = '';
    const ends: number[] = [];
    for (const row of rows) {
      for (const end of row.ends) ends.push(text.length + end);
      text += row.text;
    }
    return { text, ends };
  }

  /** Which budget of the tenant, the user or the chat is spent, if any. @param chatId null for one that is still to be made */
  budgetSpent(tenantId: string, userId: string, chatId: string | null): Promise<Spent | null> {
    return budgetSpentOf.call(this.database, tenantId, { p_user: userId, p_room: chatId });
  }

  /**
   * Reserves what a call may use; undefined: it stands under no budget. Asked again, it answers as the first time.
   * @throws 429 QUOTA_EXCEEDED where its context and one token more do not fit into what is left
   */
  async reserve(call: NewCharge, signal: AbortSignal): Promise<TokenReservation | undefined> {
    const { tenantId, chargeId, chatId, userId, contextTokens, maxTokens = RESERVED_TOKENS, prices } = call;
    const args = {
      p_charge: chargeId,
      p_user: userId,
      p_room: chatId,
      p_context: contextTokens,
      p_answer: maxTokens,
      p_prices: prices,
    };
    const granted = await retryWhileAway(signal, () => chargeReserve.call(this.database, tenantId, args));
    if (granted.answer_tokens === null) return undefined;
    const more = { p_charge: chargeId, p_more: RESERVED_TOKENS };
    const extend = () => retryWhileAway(signal, () => chargeExtend.call(this.database, tenantId, more));
    return new TokenReservation(granted.answer_tokens, granted.priced_only ?? false, extend);
  }

  /**
   * Of a call that has ended and stood under budgets: sees to it that these are told of where they are nearly spent. What this
   * cannot do the next reservation does.
   */
  async settle(tenantId: string, chargeId: string): Promise<void> {
    await chargeFold.call(this.database, tenantId, { p_charge: chargeId });
  }

  /** Ends the charge of a call that is no run's, once. @param used null: it is not known */
  async endCall(tenantId: string, chargeId: string, used: UsedTokens | null): Promise<void> {
    await chargeEnd.call(this.database, tenantId, { p_charge: chargeId, p_used: used });
  }
}

/** Tokens that are reserved for an answer of which nothing says how long it may be, and each time that it needs more. */
const RESERVED_TOKENS = 1024;

/** What a call has used. */
export interface UsedTokens {
  readonly tokens: number;
  /** Unset: by the prices of its reservation. */
  readonly cost?: number | undefined;
}

/** A call of a model, before it begins. */
interface NewCharge {
  readonly tenantId: string;
  /** Of an answer its run's. */
  readonly chargeId: string;
  /** Null: it is no run's. */
  readonly chatId: string | null;
  readonly userId: string | null;
  /** By our own count. */
  readonly contextTokens: number;
  /** Most tokens of its answer. */
  readonly maxTokens: number | undefined;
  /** Of the dearest channel that may answer; undefined where none is known. */
  readonly prices: ModelPrices | undefined;
}

/** What an answer may have of its budgets; ended with its run (`run_charged`), or by whoever made its call (`OwnCallCharges`). */
export class TokenReservation implements AnswerBound {
  /** The budget of which nothing was left when it asked for more. */
  spent: Spent | undefined;

  constructor(
    private granted: number,
    /** It stands under a budget of money: only channels with prices may answer. */
    readonly pricedOnly: boolean,
    private readonly extend: () => Promise<{ readonly answer_tokens: number } & Partial<Spent>>,
  ) {}

  get tokens(): number {
    return this.granted;
  }

  async more(): Promise<boolean> {
    const { answer_tokens: granted, limit, seconds_left = 1 } = await this.extend();
    const isMore = granted > this.granted;
    this.granted = granted;
    if (limit !== undefined) this.spent = { limit, seconds_left };
    return isMore;
  }
}

const RETRY_MS = 200;

/**
 * Does it again while the database is away, until the signal aborts. A worker that waits keeps its job, and with it the
 * chat's turn: one that came again later would find that the next message had been answered first.
 */
export async function retryWhileAway<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !isUnavailable(error)) throw error;
      await pause(RETRY_MS);
    }
  }
}

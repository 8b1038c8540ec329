import fc from 'fast-check';
import { newUuid } from '../../src/common/ids';
import { chargeExtend, chargeReserve } from '../../src/modules/chats/chats.functions';
import type { AppendFixture, RoomRef } from './append-model';
import type { FunctionResult } from './schema-function-calls';

const USERS = ['alice', 'bob'] as const;
const LIMITS = ['tokens_per_day', 'cost_per_day', 'tokens_per_user_per_day', 'tokens_per_chat_per_day'] as const;
const MILLION = 1_000_000;

type Limit = (typeof LIMITS)[number];

/** What may happen to charges; a number picks one of what there is. */
export type ChargeOp =
  | {
      readonly type: 'reserve';
      readonly user: number;
      readonly room: number;
      readonly context: number;
      readonly answer: number;
      readonly isPriced: boolean;
    }
  | { readonly type: 'extend' | 'repeat'; readonly charge: number }
  | { readonly type: 'end'; readonly charge: number; readonly tokens: number | null }
  | { readonly type: 'limit'; readonly limit: Limit; readonly most: number | null };

const pick = fc.nat(100);
const most = fc.option(fc.nat(600), { freq: 3 });

export const chargeOp: fc.Arbitrary<ChargeOp> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ type: fc.constant('reserve' as const), user: pick, room: pick },
      ...{ context: fc.integer({ min: 1, max: 60 }), answer: fc.integer({ min: 1, max: 90 }), isPriced: fc.boolean() },
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('extend' as const, 'repeat' as const), charge: pick }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('end' as const), charge: pick, tokens: fc.option(fc.nat(150)) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('limit' as const), limit: fc.constantFrom(...LIMITS), most }) },
);

interface Charge {
  readonly id: string;
  readonly user: string;
  readonly room: RoomRef;
  readonly context: number;
  readonly price: number;
  answer: number;
  /** Undefined while it runs. */
  spent: number | undefined;
}

const EXTENSION = 50;

/** What the budgets of one tenant come to, said once more, by hand; each operation is compared with it. */
export class ChargesModel {
  private readonly charges: Charge[] = [];
  private readonly limits = new Map<Limit, number>();

  private constructor(
    private readonly bench: AppendFixture,
    readonly tenantId: string,
    private readonly rooms: readonly RoomRef[],
  ) {}

  static async create(bench: AppendFixture): Promise<ChargesModel> {
    const tenantId = await bench.tenant();
    const rooms = [await bench.room({ tenantId }), await bench.room({ tenantId })];
    return new ChargesModel(bench, tenantId, rooms);
  }

  /** Does it; what the database said, and what it should have said. */
  async perform(op: ChargeOp): Promise<readonly [said: unknown, right: unknown]> {
    if (op.type === 'reserve') return this.reserve(op);
    if (op.type === 'limit') return this.limit(op.limit, op.most);
    const charge = this.charges[op.charge % Math.max(1, this.charges.length)];
    if (charge === undefined) return [undefined, undefined];
    if (op.type === 'end') return this.end(charge, op.tokens);
    return op.type === 'extend' ? this.extend(charge) : this.repeat(charge);
  }

  /** What of each charge is taken, by the tables and by hand; and the sums of days with what is not in them yet. */
  async taken(): Promise<readonly [said: unknown, right: unknown]> {
    const rows = await this.bench.database.sql<{ id: string; taken: number }>(
      `SELECT charge_id AS id, COALESCE(tokens, reserved)::int AS taken FROM charges WHERE tenant_id = $1 ORDER BY 1`,
      [this.tenantId],
    );
    const [sum] = await this.bench.database.sql<{ n: number }>(
      `SELECT (SELECT COALESCE(sum(tokens), 0) FROM charge_days WHERE tenant_id = $1 AND scope = 'tenant')::int
         + (SELECT COALESCE(sum(tokens), 0) FROM charges WHERE tenant_id = $1 AND NOT is_folded)::int AS n`,
      [this.tenantId],
    );
    const right = this.charges.map((charge) => ({ id: charge.id, taken: tokensOf(charge) }));
    const spent = this.charges.reduce((total, { spent = 0 }) => total + spent, 0);
    const inOrder = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
    return [
      { rows: rows.sort(inOrder), sum: sum?.n },
      { rows: right.sort(inOrder), sum: spent },
    ];
  }

  private async reserve(op: Extract<ChargeOp, { type: 'reserve' }>): Promise<[unknown, unknown]> {
    const room = this.rooms[op.room % this.rooms.length];
    if (room === undefined) throw new Error('there is no room');
    const charge: Charge = {
      id: newUuid(),
      user: USERS[op.user % USERS.length] ?? 'alice',
      room,
      context: op.context,
      price: op.isPriced ? MILLION : 0,
      answer: op.answer,
      spent: undefined,
    };
    await this.bench.database.sql(
      `INSERT INTO runs (tenant_id, run_id, room_id, user_id, reply_to_seq, state) VALUES ($1, $2, $3, $4, 1, 'streaming')`,
      [this.tenantId, charge.id, room.roomId, charge.user],
    );
    const said = await this.askReserve(charge);
    const { tokens, limit } = this.roomFor(charge, charge.context, op.answer);
    if (tokens < 1)
      return [
        { ...said, seconds_left: 0 },
        { status: 'spent', limit, seconds_left: 0 },
      ];
    charge.answer = tokens;
    this.charges.push(charge);
    return [said, this.granted(tokens)];
  }

  private async extend(charge: Charge): Promise<[unknown, unknown]> {
    const { tokens, limit } = this.roomFor(charge, 0, EXTENSION);
    const more = charge.spent === undefined ? Math.max(0, tokens) : 0;
    const args = { p_charge: charge.id, p_more: EXTENSION };
    const { seconds_left: _, ...said } = await this.bench.call(charge.room, chargeExtend, args);
    if (charge.spent !== undefined) return [said['answer_tokens'], 0];
    charge.answer += more;
    return [said, { answer_tokens: charge.answer, ...(more === 0 ? { limit } : {}) }];
  }

  private async repeat(charge: Charge): Promise<[unknown, unknown]> {
    const said = await this.askReserve(charge);
    return [said, this.granted(charge.answer)];
  }

  /** @param tokens null: nobody has counted, and nothing of it is stored */
  private async end(charge: Charge, tokens: number | null): Promise<[unknown, unknown]> {
    const rows = await this.bench.database.sql(
      `UPDATE runs SET state = 'completed', ended_at = COALESCE(ended_at, now()), total_tokens = $3
       WHERE tenant_id = $1 AND run_id = $2 RETURNING run_id`,
      [this.tenantId, charge.id, tokens],
    );
    // The first end counts.
    charge.spent ??= tokens ?? 0;
    return [rows, [{ run_id: charge.id }]];
  }

  private async limit(limit: Limit, value: number | null): Promise<[unknown, unknown]> {
    if (value === null) this.limits.delete(limit);
    else this.limits.set(limit, value);
    await this.bench.database.sql(
      'UPDATE tenants SET limits = limits || jsonb_build_object($2::text, $3::int) WHERE tenant_id = $1',
      [this.tenantId, limit, value],
    );
    return [undefined, undefined];
  }

  private async askReserve({ id, user, room, context, answer, price }: Charge): Promise<FunctionResult> {
    return this.bench.call(room, chargeReserve, {
      ...{ p_charge: id, p_user: user, p_room: room.roomId, p_context: context, p_answer: answer },
      p_prices: { input: price, output: price },
    });
  }

  private granted(tokens: number): object {
    const priced = this.limits.has('cost_per_day') ? { priced_only: true } : {};
    return { status: 'ok', answer_tokens: this.limits.size === 0 ? null : tokens, ...priced };
  }

  /** How many tokens an answer may have more, and which budget says so. */
  private roomFor(call: Charge, context: number, want: number): { readonly tokens: number; readonly limit?: Limit } {
    let least: { readonly tokens: number; readonly limit?: Limit } = { tokens: Infinity };
    for (const limit of LIMITS) {
      const value = this.limits.get(limit);
      if (value === undefined) continue;
      const tokens = Math.min(want, this.leftOf(limit, value, call, context, want));
      if (tokens < least.tokens) least = { tokens, limit };
    }
    return least.tokens === Infinity ? { tokens: want } : least;
  }

  private leftOf(limit: Limit, value: number, call: Charge, context: number, want: number): number {
    const inScope = this.charges.filter(
      ({ user, room }) =>
        (limit !== 'tokens_per_user_per_day' || user === call.user) &&
        (limit !== 'tokens_per_chat_per_day' || room === call.room),
    );
    if (limit !== 'cost_per_day') return value - inScope.reduce((sum, charge) => sum + tokensOf(charge), 0) - context;
    const price = call.price / MILLION;
    const left = value - inScope.reduce((sum, charge) => sum + (tokensOf(charge) * charge.price) / MILLION, 0);
    if (left < context * price) return 0;
    return price === 0 ? want : left - context;
  }
}

function tokensOf({ context, answer, spent }: Charge): number {
  return spent ?? context + answer;
}

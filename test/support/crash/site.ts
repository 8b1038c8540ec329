import { isDeepStrictEqual } from 'node:util';
import { FakeModel, type ProviderServer } from '../fake-model';
import { type Answer, Api } from '../http/api';
import { AnswerGate } from '../models/script';
import { until } from '../poll';
import { RestartingServer } from '../restarting-server';
import { createServedTenant, SERVED_MASTER_KEY, type Servers } from '../server-process';
import { uuidOf } from '../tenants';
import { Receiver } from '../webhooks/receiver';

/** Work of one kind of jobs in a tenant of its own, which kills meet in the middle. */
export interface JobWork {
  readonly tenantId: string;
  /** Causes its job. Called again where that was over before it was met, unless there is `isOver`. */
  begin(): Promise<void>;
  /** Whether it is done, where that happens once: another of its kind is then prepared. */
  isOver?(): Promise<boolean>;
  /** Whether something is done and something is left, while its job runs. */
  isHalfDone(): Promise<boolean>;
  /** Waits until it is over; what is wrong with what it has done. */
  faults(): Promise<string[]>;
}

/** What the model says before it waits, and after that. */
const ANSWER = { before: ['One ', 'two '], after: ['three.'] };

export type ServedTenant = Awaited<ReturnType<typeof createServedTenant>>;

/** A server that dies, with what outlives it: a model that answers half and waits, and receivers of webhooks. */
export class CrashSite {
  private readonly receivers: Receiver[] = [];

  private constructor(
    readonly victim: RestartingServer,
    private readonly model: ProviderServer,
    private readonly gate: AnswerGate,
  ) {}

  static async start(servers: Servers): Promise<CrashSite> {
    const model = await FakeModel.start();
    const gate = new AnswerGate();
    model.otherwise = { steps: [...ANSWER.before, { hold: gate }, ...ANSWER.after] };
    const victim = await RestartingServer.start(servers, {
      OPENAI_BASE_URL: model.url,
      WEBHOOK_ALLOW_PRIVATE: 'true',
      WEBHOOK_TIMEOUT_MS: '5000',
      // However often it dies, nothing is given up.
      WEBHOOK_RETRY_SECONDS: Array.from({ length: 40 }, () => 1).join(),
    });
    return new CrashSite(victim, model, gate);
  }

  /** What the model says, once it goes on. */
  get wholeAnswer(): string {
    return [...ANSWER.before, ...ANSWER.after].join('');
  }

  /** From here on the model says whole answers. */
  openModel(): void {
    this.gate.open();
  }

  get master(): Api {
    return new Api(this.victim.url, { 'x-master-key': SERVED_MASTER_KEY });
  }

  /** One without limits, rooms or users. */
  tenant(): Promise<ServedTenant> {
    return createServedTenant(() => this.victim.url, 0, 0);
  }

  /** Where a tenant's webhooks lead to from now on. */
  async receiver(tenant: ServedTenant, event: string): Promise<Receiver> {
    const receiver = await Receiver.start();
    this.receivers.push(receiver);
    const settings = { webhook: { url: receiver.url, events: [event] } };
    const path = `/admin/tenants/${tenant.tenantId}`;
    const { webhook_secret } = await this.insist<{ webhook_secret: string }>(() =>
      this.master.patch(path, { settings }),
    );
    receiver.secret = webhook_secret;
    return receiver;
  }

  /** Calls until it is answered so: the database may be away. */
  async insist<T>(call: () => Promise<Answer<T>>, status = 200): Promise<T> {
    const answer = await until(
      () => call().catch(() => undefined),
      (given) => given?.status === status,
    );
    if (answer === undefined) throw new Error('no answer');
    return answer.body;
  }

  /** A number that a statement finds. */
  async count(from: string, ...values: unknown[]): Promise<number> {
    const [row] = await this.victim.sql<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`, ...values);
    return row?.n ?? NaN;
  }

  /**
   * Messages that nobody has sent, behind those that a room has.
   * @param sender an expression of `n`, their seq
   * @param age an interval
   */
  async fill(roomId: string, count: number, { sender = `'someone'`, age = '0' } = {}): Promise<void> {
    await this.victim.sql(
      `INSERT INTO messages (tenant_id, room_id, seq, message_id, rev, sender_id, content, created_at)
       SELECT tenant_id, room_id, n, gen_random_uuid(), last_rev + n - last_seq, ${sender}, gen_random_uuid()::text,
         clock_timestamp() - $3::interval
       FROM rooms, generate_series(last_seq + 1, last_seq + $2::int) n WHERE room_id = $1`,
      ...[uuidOf(roomId), count, age],
    );
    const counted = 'UPDATE rooms SET last_seq = last_seq + $2, last_rev = last_rev + $2 WHERE room_id = $1';
    await this.victim.sql(counted, uuidOf(roomId), count);
  }

  async stop(): Promise<void> {
    await Promise.all([this.model.stop(), ...this.receivers.map((receiver) => receiver.stop())]);
  }
}

/** Says where something is not as it should be, as JSON: what Node itself makes is of another realm than jest's. */
export function wrong(what: string, is: unknown, shouldBe: unknown): string[] {
  const [left, right] = [is, shouldBe].map((value): unknown => JSON.parse(JSON.stringify(value)));
  return isDeepStrictEqual(left, right)
    ? []
    : [`${what}: ${JSON.stringify(is)}, should be ${JSON.stringify(shouldBe)}`];
}

import { applyDecorators, Injectable, Module, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AppError } from '../../../common/errors';
import { type Caller, type LimitName, limitOf, type TenantPolicy } from '../../auth';
import { OnStop, StopStage } from '../../lifecycle';
import { Gauge, Metrics, Stat } from '../../metrics';
import { rateLimitCodeOf } from '../../rate-limit';
import { type LastWords, SseStream } from './sse-stream';

/** The longest delay that Node's timers know. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Seconds after which a refused reader may try again: other readers must leave first. */
const RETRY_SECONDS = 5;
const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  // nginx would collect the answer otherwise.
  'X-Accel-Buffering': 'no',
} as const;

/** An open stream of a tenant's key, or of a user token that it made. */
interface OfKey {
  readonly stream: SseStream;
  readonly keyId: string | undefined;
  /** undefined where the key acts for its whole tenant. */
  readonly userId: string | undefined;
  /** In milliseconds since 1970; undefined: never. */
  endsAtMs: number | undefined;
}

/** Whose credential a stream is opened with. */
type StreamCaller = Pick<Caller, 'endsAtMs' | 'keyId' | 'optionalUserId' | 'replayed' | 'tenant'>;

/** Whose stream it is. */
export interface SseReader {
  readonly tenant: TenantPolicy | undefined;
  /** undefined: nobody's in particular, it counts for the tenant alone. */
  readonly userId: string | undefined;
}

/**
 * The open SSE answers of this node, as many at a time as a tenant and a user may have (`sse_streams`,
 * `sse_streams_per_user`). They end when the server stops, so that HTTP can drain; readers
 * join again. A stream ends with its credential, however that ends (`Revocations` in realtime/transport).
 */
@Injectable()
export class SseStreams {
  private readonly live = new Set<SseStream>();
  /** By tenant; no entry where there are none. */
  private readonly ofTenants = new Map<string, Set<OfKey>>();
  /** Places that are taken, by tenant and by user of a tenant; no entry where there are none. */
  private readonly taken = new Map<string, number>();
  /** How to give a place back that was taken for an answer whose stream is not open yet. */
  private readonly permits = new WeakMap<FastifyReply, () => void>();
  private ended = false;

  constructor(private readonly metrics: Metrics) {}

  @Gauge('chatapi_sse_streams')
  size(): number {
    return this.live.size;
  }

  /** In all, or of one tenant's keys and users. */
  @Stat('sse')
  count(tenantId?: string): number {
    return tenantId === undefined ? this.live.size : (this.taken.get(tenantId) ?? 0);
  }

  /**
   * Does the work of a call that is answered by a stream. The place is taken before it, so that nothing is done for a
   * reader that cannot be answered, and given back where the work fails or opens no stream.
   * @throws 429 where the tenant or the user has all the streams that it may have
   */
  async withPermit<T>(reply: FastifyReply, reader: SseReader, work: () => Promise<T>): Promise<T> {
    const giveBack = this.take(reply, reader);
    this.permits.set(reply, giveBack);
    try {
      return await work();
    } finally {
      // An open stream has taken it over.
      if (this.permits.delete(reply)) giveBack();
    }
  }

  /**
   * Begins an answer, in the work of `withPermit`; to be returned, or sent, as `stream.body`. It lives no longer than the
   * caller's credential.
   * @param lastWords written before its end, whoever ends it
   */
  openStream(reply: FastifyReply, caller: StreamCaller, lastWords?: LastWords): SseStream {
    const stream = new SseStream(reply.raw, lastWords);
    const giveBack = this.permits.get(reply);
    this.permits.delete(reply);
    this.live.add(stream);
    stream.onClose((why) => {
      this.live.delete(stream);
      giveBack?.();
      this.metrics.counter('chatapi_sse_closes_total').labels({ reason: why }).inc();
    });
    this.hold(stream, caller);
    endWith(stream, caller.endsAtMs);
    reply.headers(HEADERS);
    if (caller.replayed) reply.header('Idempotent-Replayed', 'true');
    // A call that was let in before the stop and got here after it.
    if (this.ended) stream.endStream('stopping');
    return stream;
  }

  /** Tenants with open streams. */
  get tenants(): readonly string[] {
    return [...this.ofTenants.keys()];
  }

  /** Ends a tenant's streams, or those of one key of it: it may not call any more. */
  endOf(tenantId: string, keyId?: string): void {
    for (const held of this.ofTenants.get(tenantId) ?? [])
      if (keyId === undefined || held.keyId === keyId) held.stream.endStream('expired');
  }

  /** Ends a tenant's streams of some of its users. */
  endOfUsers(tenantId: string, isOne: (userId: string) => boolean): void {
    for (const { stream, userId } of this.ofTenants.get(tenantId) ?? [])
      if (userId !== undefined && isOne(userId)) stream.endStream('expired');
  }

  /** A key ends earlier than was known when its streams were opened. @param endsAtMs since 1970 */
  endAt(tenantId: string, keyId: string, endsAtMs: number): void {
    for (const held of this.ofTenants.get(tenantId) ?? []) {
      if (held.keyId !== keyId || (held.endsAtMs ?? Infinity) <= endsAtMs) continue;
      held.endsAtMs = endsAtMs;
      endWith(held.stream, endsAtMs);
    }
  }

  private hold(stream: SseStream, { tenant, keyId, optionalUserId: userId, endsAtMs }: StreamCaller): void {
    if (tenant === undefined) return;
    const { tenantId } = tenant;
    const held: OfKey = { stream, keyId, userId, endsAtMs };
    this.ofTenants.set(tenantId, (this.ofTenants.get(tenantId) ?? new Set()).add(held));
    stream.onClose(() => {
      const others = this.ofTenants.get(tenantId);
      others?.delete(held);
      if (others?.size === 0) this.ofTenants.delete(tenantId);
    });
  }

  private take(reply: FastifyReply, { tenant, userId }: SseReader): () => void {
    if (tenant === undefined) return () => undefined;
    const keys = userId === undefined ? [tenant.tenantId] : [tenant.tenantId, `${tenant.tenantId}/${userId}`];
    (['sse_streams', 'sse_streams_per_user'] as const).forEach((limit, i) =>
      this.refuseBeyond(reply, tenant, limit, this.taken.get(keys[i] ?? '') ?? 0),
    );
    for (const key of keys) this.taken.set(key, (this.taken.get(key) ?? 0) + 1);
    return () => {
      for (const key of keys) {
        const left = (this.taken.get(key) ?? 1) - 1;
        if (left > 0) this.taken.set(key, left);
        else this.taken.delete(key);
      }
    };
  }

  private refuseBeyond(reply: FastifyReply, tenant: TenantPolicy, limit: LimitName, taken: number): void {
    const most = limitOf(tenant, limit);
    if (most === null || taken < most) return;
    const code = rateLimitCodeOf(reply.request.routeOptions.url ?? reply.request.url);
    throw new AppError(code, `Too many open streams: ${limit} allows ${most} at a time`, {
      details: { limit },
      retryAfterSeconds: RETRY_SECONDS,
    });
  }

  @OnStop(StopStage.sockets)
  endAll(): void {
    this.ended = true;
    for (const stream of this.live) stream.endStream('stopping');
  }
}

function endWith(stream: SseStream, endsAtMs: number | undefined): void {
  if (endsAtMs === undefined) return;
  const timer = setTimeout(() => stream.endStream('expired'), Math.min(endsAtMs - Date.now(), MAX_TIMER_MS)).unref();
  stream.onClose(() => clearTimeout(timer));
}

const HOW =
  'Server-sent events: each one `data:` line of JSON, with an `id:`; a comment every 15 s. A stream that ends without its last event was cut: join again with `Last-Event-ID`.';

/**
 * Documents a 200 of server-sent events.
 * @param example the stream as it goes over the wire
 * @param json the class of the answer over plain REST, where the route has both
 * @param how what its events are, where they are others
 */
export function SseAnswer(example: string, json?: Type, how = HOW): MethodDecorator {
  const stream = { schema: { type: 'string', description: how, example } };
  const content = {
    ...(json === undefined ? {} : { 'application/json': { schema: { $ref: getSchemaPath(json) } } }),
    'text/event-stream': stream,
  };
  return applyDecorators(...(json === undefined ? [] : [ApiExtraModels(json)]), ApiOkResponse({ content }));
}

@Module({ providers: [SseStreams], exports: [SseStreams] })
export class SseModule {}

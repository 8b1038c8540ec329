import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { AppError, type ErrorCode, internalError, rateLimited } from '../../common/errors';
import { limitOf } from '../../platform/auth';
import { describeError, Log } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { Validator } from '../../platform/validation';
import { type AcceptedConnection, CloseCode, OTHER_FRAMES_PER_SECOND, type SocketEndpoint, toWire } from '../transport';
import { InboundQueue, PATIENCE_MS, type RawMessage, type ReplySlot, type Verdict } from './inbound-queue';
import { type Operation, SocketOperations } from './operations';
import { type ReadFrame, readFrame, unknownType } from './read-frame';

/** A frame that was understood, with what its answer needs. */
interface AdmittedFrame {
  readonly queue: InboundQueue;
  readonly slot: ReplySlot;
  readonly operation: Operation;
  readonly requestId: string | undefined;
  readonly fields: object;
}

/** Takes what clients send and hands it to the operations; see the folder's index.ts for the rules. */
@Injectable()
export class Dispatcher {
  private readonly queues = new WeakMap<AcceptedConnection, InboundQueue>();
  private readonly received = new Map<string, { inc(): void }>();

  constructor(
    private readonly operations: SocketOperations,
    private readonly validator: Validator,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly metrics: Metrics,
  ) {}

  /** One message of a client, in the order of their arrival. Neither throws nor waits; answers through the connection. */
  message(endpoint: SocketEndpoint, connection: AcceptedConnection, data: Buffer, isBinary: boolean): void {
    if (!connection.isOpen) return;
    let queue = this.queues.get(connection);
    if (!queue) {
      queue = new InboundQueue(connection, endpoint, (to, message) => this.admit(to, message));
      this.queues.set(connection, queue);
    }
    queue.take({ data, isBinary });
  }

  /** Parse, rate, validate, start: in one go and without waiting, so that frames are admitted one after the other. */
  private admit(queue: InboundQueue, { data, isBinary }: RawMessage): void {
    if (isBinary) {
      this.count('unknown');
      const error = new AppError('VALIDATION_ERROR', 'Frames are JSON text; binary messages are not accepted');
      this.end(queue, error.code, queue.endpoint.error(error, undefined), CloseCode.unsupported, 'binary message');
      return;
    }
    const { path, defaultFrame } = queue.endpoint;
    const frame = readFrame(data.toString('utf8'), defaultFrame, data.length);
    const operation = 'type' in frame ? this.operations.of(path).get(frame.type) : undefined;
    this.count(operation?.name ?? 'unknown');
    if (!this.passesRates(queue, frame, operation)) return;
    const slot = queue.reserve();
    try {
      if ('refused' in frame) throw frame.refused;
      if (!operation) throw unknownType(frame.type);
      const fields = this.validator.body(operation.dto, frame.fields, 'A frame');
      this.order({ queue: queue, slot, operation, requestId: frame.requestId, fields });
    } catch (error) {
      this.refuse(queue, slot, error, frame.requestId, operation);
    }
  }

  /** Of the types that there are, and `unknown`. */
  private count(type: string): void {
    let received = this.received.get(type);
    if (received === undefined)
      this.received.set(type, (received = this.metrics.counter('chatapi_frames_received_total').labels({ type })));
    received.inc();
  }

  private passesRates(queue: InboundQueue, frame: ReadFrame, operation: Operation | undefined): boolean {
    const family = operation?.family ?? 'other';
    const { tenant } = queue.connection.caller;
    const own = tenant ? limitOf(tenant, 'ws_messages_per_second') : null;
    const limit = family === 'message' ? own : OTHER_FRAMES_PER_SECOND;
    const verdict = queue.rates.take(family, limit, this.clock.monotonicMs());
    if (verdict.kind === 'pass') return true;
    this.metrics
      .counter('chatapi_rate_limited_total')
      .labels({ family: `socket_${family}` })
      .inc();
    this.tooFast(queue, verdict, frame.requestId);
    return false;
  }

  private tooFast(
    queue: InboundQueue,
    verdict: Exclude<Verdict, { kind: 'pass' }>,
    requestId: string | undefined,
  ): void {
    const retryAfterMs = verdict.kind === 'end' ? PATIENCE_MS : verdict.retryAfterMs;
    const frame = queue.endpoint.error(rateLimited(Math.ceil(retryAfterMs / 1000)), requestId, retryAfterMs);
    if (verdict.kind === 'end') this.end(queue, 'RATE_LIMIT_EXCEEDED', frame, CloseCode.tooFast, 'too fast');
    else {
      this.metrics.errors('RATE_LIMIT_EXCEEDED');
      queue.settle(queue.reserve(), () => queue.connection.sendFrame(toWire(frame)));
    }
  }

  /** Sends, and frames that wait for them, start in the order of their rooms; all others at once. */
  private order(frame: AdmittedFrame): void {
    const { operation, queue } = frame;
    if (operation.waitsForSends === true)
      queue.order.add({ kind: 'barrier', rooms: roomsOf(frame.fields), start: () => this.start(frame) });
    else if (operation.family === 'message')
      queue.order.add({ kind: 'send', rooms: roomsOf(frame.fields), start: () => this.start(frame) });
    else void this.start(frame);
  }

  /** Calls the operation. The promise, if any, never rejects: whatever happens becomes the frame's answer. */
  private start(frame: AdmittedFrame): Promise<void> | undefined {
    const { queue, slot, operation, requestId, fields } = frame;
    const { connection } = queue;
    const caller = connection.caller.forFrame(requestId ?? randomUUID());
    const fail = (error: unknown): void => this.refuse(queue, slot, error, requestId, operation, caller.requestId);
    const answer = (result: unknown): void => {
      try {
        queue.settle(slot, reply(queue, operation, result, requestId));
      } catch (error) {
        fail(error);
      }
    };
    try {
      const result = operation.call({ connection, caller, requestId }, fields);
      if (result instanceof Promise) return result.then(answer, fail);
      answer(result);
    } catch (error) {
      fail(error);
    }
    return undefined;
  }

  private refuse(
    queue: InboundQueue,
    slot: ReplySlot,
    thrown: unknown,
    requestId: string | undefined,
    operation: Operation | undefined,
    logId = requestId ?? randomUUID(),
  ): void {
    const error = thrown instanceof AppError ? thrown : internalError(thrown);
    const isFault = error.code === 'INTERNAL_ERROR';
    if (isFault)
      this.log.error(
        {
          request_id: logId,
          connection_id: queue.connection.id,
          frame: operation?.name,
          error: describeError(error.cause),
        },
        'frame failed',
      );
    this.metrics.errors(error.code);
    // Without an id of the client's, the one in the log is all that leads there.
    const frame = toWire(queue.endpoint.error(error, isFault ? logId : requestId));
    queue.settle(slot, () => queue.connection.sendFrame(frame));
  }

  /** The refusal, then the close, both after the answers that are still to come. */
  private end(queue: InboundQueue, error: ErrorCode, frame: object, code: number, reason: string): void {
    this.metrics.errors(error);
    queue.end(() => {
      queue.connection.sendFrame(toWire(frame));
      queue.connection.close(code, reason);
    });
  }
}

function reply(
  { connection, endpoint }: InboundQueue,
  operation: Operation,
  result: unknown,
  requestId: string | undefined,
): (() => void) | undefined {
  if (operation.replies === undefined) return undefined;
  const frame = toWire(endpoint.reply(operation.replies.name, requestId, (result as object | undefined) ?? {}));
  return () => connection.sendFrame(frame);
}

/** The rooms that a frame names; undefined where it names none and so may be about any. */
function roomsOf(fields: { readonly room_id?: unknown; readonly rooms?: unknown }): readonly string[] | undefined {
  if (typeof fields.room_id === 'string') return [fields.room_id];
  if (!Array.isArray(fields.rooms)) return undefined;
  return fields.rooms.flatMap(({ room_id }: { room_id?: unknown }) => (typeof room_id === 'string' ? [room_id] : []));
}

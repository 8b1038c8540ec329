import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../common/errors';
import { rateLimitCodeOf } from '../rate-limit';
import { isTooLarge, JsonRefused, parseJson, refused } from '../validation';
import { LargeBodies, MAX_LARGE_BODY_BYTES, parseLargeBody, tooManyLarge } from './large-body';
import { cutOff, streamedBodyFault } from './streamed-body';

const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Of a header's value, in an error's message. */
const SHOWN_LENGTH = 40;
const JSON_TYPE = /^application\/json *(;|$)/i;

/**
 * Parses a JSON body: valid UTF-8 without a byte order mark, at most 32 levels, no `__proto__`, no number that a double
 * does not hold; an empty body is no body. Throws 400, and 413 for what is larger than 256 KB also without escapes.
 */
export function parseJsonBody(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  if (!isUtf8(raw)) throw new AppError('VALIDATION_ERROR', 'The body is not valid UTF-8');
  try {
    const value = parseJson(raw.toString('utf8'));
    if (isTooLarge(value, raw.length)) throw tooLarge('256 KB');
    return value;
  } catch (error) {
    if (error instanceof JsonRefused) throw refused('The body', error);
    throw error;
  }
}

/**
 * JSON is the only body that the server takes, up to `limit` bytes, with `@LargeBody` up to 8 MB, but on routes with
 * `@StreamedBody`, which read theirs themselves: only its headers are looked at here. The hook reads it, not Fastify: its reader binds an
 * AsyncResource per request, and on Node 20 each `bind` gives a function a prototype of its own, which V8 keeps until
 * the next full collection. Every young collection then copies 8 KB per request (docs/adr/0011).
 */
export function installJsonBody(fastify: FastifyInstance, limit: number): void {
  for (const method of METHODS_WITH_BODY) fastify.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  const largeBodies = new LargeBodies();
  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    if (request.is404 || !hasBody(request)) {
      done();
      return;
    }
    const settle = (error: Error | null, raw?: Buffer): void => {
      try {
        if (error) throw error;
        if (raw) request.body = keep === undefined ? parseJsonBody(raw) : parseLargeBody(raw, keep);
        done();
      } catch (fault) {
        done(fault as Error);
      }
    };
    const { headers } = request;
    const { largeBody: keep } = request.routeOptions.config;
    if (isCoded(headers['content-encoding'])) settle(codedBody(headers['content-encoding']));
    else if (request.routeOptions.config.stream === true) settle(streamedBodyFault(headers));
    else if (!JSON_TYPE.test(headers['content-type'] ?? '')) settle(notJson());
    else {
      if (headers.expect !== undefined) reply.raw.writeContinue();
      if (keep === undefined) readBody(request.raw, { limit, size: '256 KB' }, settle);
      else readLargeBody(request, limit, largeBodies, settle);
    }
  });
}

/** Whether a body is transferred in another way than plainly or in chunks: Node takes only these apart. */
export function isCodedTransfer(header: string | undefined): boolean {
  return header !== undefined && header.trim().toLowerCase() !== 'chunked';
}

/** 501: HTTP has a status of its own for what the catalogue calls a bad request. */
export function codedTransfer(): AppError {
  return new AppError('VALIDATION_ERROR', 'Transfer-Encoding must be chunked or absent', {
    field: 'Transfer-Encoding',
    status: 501,
  });
}

/** Whether a body is compressed or otherwise coded: `identity` says that it is not. */
function isCoded(header: string | undefined): boolean {
  if (header === undefined) return false;
  return header.split(',').some((coding) => !/^(identity)?$/i.test(coding.trim()));
}

function codedBody(header: string | undefined): AppError {
  const said = (header ?? '').slice(0, SHOWN_LENGTH);
  return new AppError(
    'UNSUPPORTED_MEDIA_TYPE',
    `Content-Encoding ${said} is not supported: send the body as it is, without compressing it`,
    { field: 'Content-Encoding', headers: { 'Accept-Encoding': 'identity' } },
  );
}

function notJson(): AppError {
  return new AppError('UNSUPPORTED_MEDIA_TYPE', 'Content-Type must be application/json');
}

function hasBody({ method, headers }: FastifyRequest): boolean {
  if (!METHODS_WITH_BODY.has(method)) return false;
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

type Settle = (error: Error | null, raw?: Buffer) => void;

/** How much of a body is read. */
interface BodyBounds {
  /** Bytes as they are sent. */
  readonly limit: number;
  /** In words. */
  readonly size: string;
  /** Asked where a body says that it will have so many bytes, and with each piece: why it is read no further. */
  readonly refuse?: (bytes: number) => AppError | undefined;
}

/** A body beyond `usual` bytes takes a place of its tenant until it is read, parsed and let go. */
function readLargeBody(request: FastifyRequest, usual: number, bodies: LargeBodies, settle: Settle): void {
  let giveBack: (() => void) | undefined;
  const refuse = (bytes: number): AppError | undefined => {
    if (bytes <= usual || giveBack !== undefined) return undefined;
    giveBack = bodies.take(request.caller?.tenant?.tenantId ?? '');
    return giveBack === undefined ? tooManyLarge(rateLimitCodeOf(request.routeOptions.url ?? request.url)) : undefined;
  };
  readBody(request.raw, { limit: MAX_LARGE_BODY_BYTES, size: '8 MB', refuse }, (error, raw) => {
    giveBack?.();
    settle(error, raw);
  });
}

/** Collects a request's body; calls back once, with an error when it is too large or the client hangs up. */
function readBody(message: IncomingMessage, { limit, size: most, refuse }: BodyBounds, settle: Settle): void {
  const chunks: Buffer[] = [];
  let size = 0;
  const faultOf = (bytes: number): AppError | undefined => (bytes > limit ? tooLarge(most) : refuse?.(bytes));
  const end = (error: Error | null): void => {
    message.removeListener('data', onData).removeListener('end', onEnd).removeListener('error', onError);
    settle(error, error !== null ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
  };
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    size += chunk.length;
    const fault = faultOf(size);
    if (fault !== undefined) end(fault);
  };
  const onEnd = (): void => end(null);
  const onError = (cause: Error): void => end(cutOff(cause));
  const announced = faultOf(Number(message.headers['content-length'] ?? 0));
  if (announced !== undefined) return settle(announced);
  message.on('data', onData).on('end', onEnd).on('error', onError);
}

function tooLarge(size: string): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', `The body is larger than ${size}`);
}

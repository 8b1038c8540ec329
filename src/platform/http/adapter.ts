import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, invalid } from '../../common/errors';
import type { HttpConfig } from '../../config';
import { MAX_SENT_JSON_BYTES } from '../validation';
import { errorBodyFor } from './answers';

/** As much as Node takes as a request line: an id that is too long does not exist (404), and the controller says so. */
const MAX_PARAM_LENGTH = 16 * 1024;
const REQUEST_ID = /^[A-Za-z0-9._:~-]{1,128}$/;

/** The caller's X-Request-Id when it is well formed, else a new one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** The client's address of a request that Fastify does not see: the same as its `ip`. */
export function clientAddress(request: IncomingMessage, trustProxy: boolean): string {
  const forwarded = request.headers['x-forwarded-for'];
  const last = trustProxy && typeof forwarded === 'string' ? forwarded.split(',').at(-1)?.trim() : undefined;
  return last !== undefined && last !== '' ? last : (request.socket.remoteAddress ?? '');
}

/** Fastify as Nest gets it. Errors and misses are answered by our own handlers, not by Nest's translation. */
export class HttpAdapter extends FastifyAdapter {
  constructor(config: HttpConfig) {
    super({
      bodyLimit: MAX_SENT_JSON_BYTES,
      // The proxy in front of us, and none that it cites: its clients write what they like into the header.
      trustProxy: config.trustProxy ? 1 : false,
      requestIdHeader: false,
      genReqId: requestIdOf,
      routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH },
      forceCloseConnections: 'idle',
      // The gate answers while the server stops, in the error shape.
      return503OnClosing: false,
      requestTimeout: 60_000,
      keepAliveTimeout: 75_000,
      clientErrorHandler: answerBrokenRequest,
      // Node's own refusal has no body; the hook in install.ts answers in the error shape.
      http: { requireHostHeader: false },
      frameworkErrors: (_error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
        const body = errorBodyFor(request, invalid('url', 'The URL is malformed'));
        void reply.status(400).header('X-Request-Id', request.id).send(body);
      },
    });
  }

  override setErrorHandler(): ReturnType<FastifyAdapter['setErrorHandler']> {
    return this.getInstance();
  }

  override setNotFoundHandler(): ReturnType<FastifyAdapter['setNotFoundHandler']> {
    return this.getInstance();
  }
}

/** Bytes that are no HTTP get an answer in the error shape and are hung up on. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const id = randomUUID();
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  const body = JSON.stringify(errorBody(invalid('request', 'The request is not valid HTTP'), id));
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nX-Request-Id: ${id}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

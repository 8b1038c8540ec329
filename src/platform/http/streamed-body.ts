/** Bodies that are too large to be held: a route reads its own, piece by piece. */
import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiBody, ApiConsumes } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../common/errors';
import { addRouteConfig } from '../auth';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by @StreamedBody: the body is bytes, and the route reads it. */
    stream?: true;
  }
}

const MB = 1024 * 1024;

/** Largest body of a streamed route, in bytes: 64 MB. */
export const MAX_STREAMED_BYTES = 64 * MB;

const BYTES = 'application/octet-stream';

/**
 * Says that a route takes bytes (application/octet-stream), at most 64 MB, instead of JSON. Its method gets them by
 * `@BodyStream()`. What it leaves unread is hung up on (hang-up.ts).
 */
export function StreamedBody(): MethodDecorator {
  return (target, property, descriptor) => {
    addRouteConfig(descriptor.value as object, { stream: true });
    const body = { required: true, schema: { type: 'string', format: 'binary' } };
    return applyDecorators(ApiConsumes(BYTES), ApiBody(body))(target, property, descriptor);
  };
}

/** The body of a route with `@StreamedBody`: an AsyncIterable of Buffers, as `streamedBody` makes it. */
export const BodyStream = createParamDecorator((_: unknown, context: ExecutionContext): AsyncIterable<Buffer> => {
  const http = context.switchToHttp();
  const { raw } = http.getRequest<FastifyRequest>();
  return streamedBody(raw, http.getResponse<FastifyReply>().raw);
});

/** Why the headers of a streamed body are refused: 415, or 413 for one that says it is too large. */
export function streamedBodyFault(headers: IncomingHttpHeaders): AppError | null {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== BYTES) return new AppError('UNSUPPORTED_MEDIA_TYPE', `Content-Type must be ${BYTES}`);
  return Number(headers['content-length']) > MAX_STREAMED_BYTES ? tooLarge(MAX_STREAMED_BYTES) : null;
}

/**
 * A request's body as it comes in; nothing is read ahead of who takes it, and a client that waits for it is told to go on
 * with the first read. Throws 413 after `limit` bytes, and 400 where the client hangs up before the end. The connection
 * stays, so that the answer can be sent.
 */
export async function* streamedBody(
  request: IncomingMessage,
  response: ServerResponse,
  limit = MAX_STREAMED_BYTES,
): AsyncGenerator<Buffer, void, undefined> {
  // install.ts has taken the header off a request that expects anything else.
  if (request.headers.expect !== undefined) response.writeContinue();
  const pieces = request.iterator({ destroyOnReturn: false });
  let size = 0;
  try {
    for (;;) {
      const next = await pieces.next().catch((cause: unknown) => {
        throw cutOff(cause);
      });
      if (next.done === true) return;
      const piece = next.value as Buffer;
      size += piece.length;
      if (size > limit) throw tooLarge(limit);
      yield piece;
    }
  } finally {
    // Without it the request would not flow any more, and what is left of it could not be read off.
    await pieces.return?.();
  }
}

/** 400 for a body that ended before its end. */
export function cutOff(cause: unknown): AppError {
  return new AppError('VALIDATION_ERROR', 'The body does not have the announced length', { cause });
}

function tooLarge(limit: number): AppError {
  return new AppError(
    'PAYLOAD_TOO_LARGE',
    `The body is larger than ${Math.floor(limit / MB)} MB: send it in more parts`,
  );
}

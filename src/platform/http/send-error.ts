import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from '../../common/errors';
import { describeError, type Log } from '../logging';
import type { Metrics } from '../metrics';
import { toAppError } from './to-app-error';

/** Answers with an error in the contract's shape; logs what is a fault of ours. */
export class ErrorSender {
  constructor(
    private readonly log: Log,
    private readonly metrics: Metrics,
  ) {}

  send(request: FastifyRequest, reply: FastifyReply, thrown: unknown): void {
    const error = toAppError(thrown);
    if (error.code === 'INTERNAL_ERROR')
      this.log.error(
        { request_id: request.id, route: request.routeOptions.url, error: describeError(error.cause) },
        'request failed',
      );
    this.metrics.errors(error.code);
    if (reply.sent) return;
    if (error.retryAfterSeconds !== undefined) reply.header('Retry-After', error.retryAfterSeconds);
    if (error.headers) reply.headers(error.headers);
    reply.removeHeader('content-type');
    reply
      .status(error.status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(errorBody(error, request.id)));
  }
}

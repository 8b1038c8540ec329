import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorSender } from './send-error';

/** Whatever a controller throws is answered from the catalogue. */
@Catch()
export class AllErrorsFilter implements ExceptionFilter {
  constructor(private readonly errors: ErrorSender) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.errors.send(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), thrown);
  }
}

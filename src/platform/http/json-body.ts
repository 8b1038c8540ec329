import { isUtf8 } from 'node:buffer';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../common/errors';
import { JsonRefused, parseJson } from '../validation';

/**
 * Parses a JSON body: valid UTF-8 without a byte order mark, at most 32 levels, no `__proto__`; an empty body is no
 * body. Throws 400.
 */
export function parseJsonBody(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  if (!isUtf8(raw)) throw new AppError('VALIDATION_ERROR', 'The body is not valid UTF-8');
  try {
    return parseJson(raw.toString('utf8'));
  } catch (error) {
    if (error instanceof JsonRefused) throw new AppError('VALIDATION_ERROR', `The body ${error.message}`);
    throw error;
  }
}

/** JSON is the only body that the server takes. */
export function installJsonBody(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request: FastifyRequest, raw, done) => {
    try {
      done(null, parseJsonBody(raw as Buffer));
    } catch (error) {
      done(error as Error, undefined);
    }
  });
}

import { isUtf8 } from 'node:buffer';
import secureJsonParse from 'secure-json-parse';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../../common/errors';
import { MAX_JSON_DEPTH, nestsDeeperThan } from '../../common/text';

/** Shorter texts cannot nest deeper than the limit. */
const MIN_SUSPECT_LENGTH = 2 * MAX_JSON_DEPTH;

/** Parses a JSON body: valid UTF-8, at most 32 levels, no `__proto__`; an empty body is no body. */
export function parseJsonBody(raw: Buffer): unknown {
  if (raw.length === 0) return undefined;
  if (!isUtf8(raw)) throw new AppError('VALIDATION_ERROR', 'The body is not valid UTF-8');
  const text = raw.toString('utf8');
  if (text.length > MIN_SUSPECT_LENGTH && nestsDeeperThan(text, MAX_JSON_DEPTH))
    throw new AppError('VALIDATION_ERROR', `The body nests deeper than ${MAX_JSON_DEPTH} levels`);
  try {
    return secureJsonParse.parse(text, undefined, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw new AppError('VALIDATION_ERROR', 'The body is not valid JSON, or holds a forbidden key such as __proto__');
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

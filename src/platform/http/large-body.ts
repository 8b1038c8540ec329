/**
 * JSON bodies that may be much larger than others, of routes that need little of theirs: a client's whole history comes, and
 * its last message counts.
 *
 * Invariants: what the route leaves is read by nobody, so nothing in it is refused (numbers, keys, texts); it is let go
 * before the route is called, and what it keeps by `forgetBody`, so a stream that stays open holds none of it. A tenant has at most `MAX_LARGE_AT_ONCE` bodies
 * beyond the usual size in memory of a node, whether they are still on their way or not.
 */
import { isUtf8 } from 'node:buffer';
import type { FastifyReply } from 'fastify';
import { AppError } from '../../common/errors';
import { glanceAt } from '../../common/text';
import { addRouteConfig } from '../auth';

/** Keeps of a parsed body what its route needs, in a size that has a bound; it throws nothing and changes nothing. */
export type KeepOfBody = (body: unknown) => unknown;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by @LargeBody. */
    largeBody?: KeepOfBody;
  }
}

/** Largest body of such a route, in bytes as it is sent: 8 MB. */
export const MAX_LARGE_BODY_BYTES = 8 * 1024 * 1024;
/** Of a tenant, on a node. */
export const MAX_LARGE_AT_ONCE = 4;
/** Deeper ones cost a parse much more than their bytes. */
const MAX_DEPTH = 1000;
/** Such a body is read and done with soon. */
const RETRY_SECONDS = 1;

/** Says that a route takes JSON of up to 8 MB, of which it sees what `keep` keeps; that alone is validated and fingerprinted. */
export function LargeBody(keep: KeepOfBody): MethodDecorator {
  return (_target, _property, descriptor) => addRouteConfig(descriptor.value as object, { largeBody: keep });
}

/** Throws 400 for what is no JSON in UTF-8, or nests deeper than 1000 levels. */
export function parseLargeBody(raw: Buffer, keep: KeepOfBody): unknown {
  if (raw.length === 0) return undefined;
  if (!isUtf8(raw)) throw new AppError('VALIDATION_ERROR', 'The body is not valid UTF-8');
  const text = raw.toString('utf8');
  if (glanceAt(text, MAX_DEPTH) === 'deep')
    throw new AppError('VALIDATION_ERROR', `The body nests deeper than ${MAX_DEPTH} levels`);
  let body: unknown;
  try {
    // No key reaches a prototype: a parse defines what it finds, and `keep` takes own keys by their names.
    body = JSON.parse(text);
  } catch {
    throw new AppError('VALIDATION_ERROR', 'The body is not valid JSON');
  }
  return keep(body);
}

/** Lets go what a route has kept of its body, once it has read it: its answer may stay open for long. */
export function forgetBody({ request }: FastifyReply): void {
  request.body = undefined;
}

/** How many large bodies each tenant has in memory. */
export class LargeBodies {
  private readonly held = new Map<string, number>();

  /** @returns what gives the place back, once; undefined: the tenant has all that it may have */
  take(tenantId: string): (() => void) | undefined {
    const others = this.held.get(tenantId) ?? 0;
    if (others >= MAX_LARGE_AT_ONCE) return undefined;
    this.held.set(tenantId, others + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const left = (this.held.get(tenantId) ?? 1) - 1;
      if (left > 0) this.held.set(tenantId, left);
      else this.held.delete(tenantId);
    };
  }
}

/** 429 for one too many. */
export function tooManyLarge(code: 'RATE_LIMIT_EXCEEDED' | 'RATE_LIMITED'): AppError {
  return new AppError(code, `Too many large bodies at a time: at most ${MAX_LARGE_AT_ONCE}`, {
    retryAfterSeconds: RETRY_SECONDS,
  });
}

/** Objects and arrays become empty ones: what they are is seen, what they hold is not kept. */
export function scalar(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? [] : {};
}

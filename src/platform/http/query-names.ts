import type { FastifyRequest } from 'fastify';
import type { INestApplicationContext } from '@nestjs/common';
import { type FieldError, invalidFields } from '../../common/errors';
import { isDto, type Validator } from '../validation';
import { controllerMethods } from './controllers';

const MAX_FAULTS = 20;
const MAX_SHOWN = 100;
/** What caches, trackers and proxies add to any URL. */
const IGNORED = /^(_|utm_)/;

/**
 * Refuses parameters of a URL that are not documented, as unknown fields of a body are: `?afer_seq=5` would otherwise be
 * answered as if nothing had been asked for. Names that begin with `_` or `utm_` are ignored. Throws 400 with all faults.
 * @param given the names as they stand in the URL, repeated where they are
 */
export function refuseUnknownParameters(given: Iterable<string>, known: ReadonlySet<string>): void {
  const seen = new Set<string>();
  const faults = new Map<string, FieldError>();
  for (const name of given) {
    if (IGNORED.test(name)) continue;
    const isRepeated = seen.has(name);
    seen.add(name);
    if (faults.size === MAX_FAULTS || (known.has(name) && !isRepeated)) continue;
    const field = name.slice(0, MAX_SHOWN).toWellFormed();
    const message = known.has(name) ? `${field} must be given only once` : `Unknown query parameter: ${field}`;
    faults.set(field, { field, message });
  }
  if (faults.size > 0) throw invalidFields([...faults.values()]);
}

/** What each route takes in its query: the fields of the DTO of its `@Query()`, which are what Swagger documents. */
export class QueryNames {
  /** By handler. */
  private readonly known = new Map<object, ReadonlySet<string>>();

  constructor(app: INestApplicationContext, validator: Validator) {
    for (const { controller, method, handler, queries } of controllerMethods(app)) {
      const names = queries.flatMap((type) => {
        if (!isDto(type)) throw new Error(`${controller}.${method} takes a query that is no DTO`);
        return Object.keys(validator.prepare(type).properties);
      });
      this.known.set(handler, new Set(names));
    }
  }

  /** Throws 400 for what the route does not take. Costs nothing where the URL has no query. */
  check(request: FastifyRequest, handler: object): void {
    if (!request.url.includes('?')) return;
    const query = request.query as Readonly<Record<string, string | readonly string[]>>;
    const given = Object.entries(query).flatMap(([name, value]) =>
      typeof value === 'string' ? [name] : value.map(() => name),
    );
    refuseUnknownParameters(given, this.known.get(handler) ?? new Set());
  }
}

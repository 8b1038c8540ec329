import type { ErrorObject } from 'ajv';
import type { FieldError } from '../../common/errors';
import { reservedPrefixOf } from '../../common/text';
import type { ObjectSchema } from './compile-schema';

const MAX_FAULTS = 20;
/** A body of 256 KB can hold 80,000 bad items: looking at them all would stop the server for half a second. */
const MAX_LOOKED_AT = 1000;
const JSON_TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
};

/** Turns ajv's errors into fields and sentences; one per field, in the order of the schema, at most 20. */
export function describeFaults(errors: readonly ErrorObject[], schema: ObjectSchema): FieldError[] {
  const faults = new Map<string, string>();
  for (const error of errors.slice(0, MAX_LOOKED_AT)) {
    const field = fieldOf(error);
    if (!faults.has(field)) faults.set(field, sentence(error, field));
  }
  const order = Object.keys(schema.properties);
  const rank = (field: string): number => {
    const at = order.indexOf(field.split(/[.[]/)[0] ?? '');
    return at < 0 ? order.length : at;
  };
  return [...faults]
    .map(([field, message]) => ({ field, message }))
    .sort((a, b) => rank(a.field) - rank(b.field))
    .slice(0, MAX_FAULTS);
}

function fieldOf(error: ErrorObject): string {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((all, part) => (/^\d+$/.test(part) ? `${all}[${part}]` : all ? `${all}.${part}` : part), '');
  const params = error.params as Record<string, unknown>;
  const leaf =
    error.keyword === 'required'
      ? params['missingProperty']
      : error.keyword === 'additionalProperties'
        ? params['additionalProperty']
        : undefined;
  if (typeof leaf !== 'string') return path;
  const shown = leaf.slice(0, 100).toWellFormed();
  return path ? `${path}.${shown}` : shown;
}

function sentence(error: ErrorObject, field: string): string {
  const own = (error.parentSchema as Record<string, unknown> | undefined)?.['faultMessage'];
  if (typeof own === 'string' && error.keyword !== 'required') return own;
  const p = error.params as Record<string, unknown>;
  const rule = error.schema;
  switch (error.keyword) {
    case 'required':
      return `${field} is required`;
    case 'additionalProperties':
      return `Unknown field: ${field}`;
    case 'type':
      return `${field} must be ${JSON_TYPES[String(p['type'])] ?? String(p['type'])}`;
    case 'enum':
      return `Invalid ${field}. Must be one of: ${(p['allowedValues'] as unknown[]).join(', ')}`;
    case 'minLength':
      return p['limit'] === 1
        ? `${field} must not be empty`
        : `${field} must have at least ${String(p['limit'])} characters`;
    case 'maxLength':
      return `${field} must have at most ${String(p['limit'])} characters`;
    case 'minItems':
    case 'maxItems':
      return `${field} must have at ${error.keyword === 'minItems' ? 'least' : 'most'} ${String(p['limit'])} items`;
    case 'minimum':
      return `${field} must be at least ${String(p['limit'])}`;
    case 'maximum':
      return `${field} must be at most ${String(p['limit'])}`;
    case 'uniqueItems':
      return `${field} must not hold the same item twice`;
    case 'storable':
      return `${field} must not hold NUL characters or unpaired surrogates`;
    case 'notBlank':
      return `${field} must not be blank`;
    case 'unreserved':
      return `${field} must not begin with ${reservedPrefixOf(String(error.data)) ?? ''}`;
    case 'isoTime':
      return `${field} must be an ISO 8601 time with a zone, e.g. 2026-01-31T12:00:00Z`;
    case 'jsonObject':
      return `${field} must be a JSON object of at most ${Math.floor((rule as { maxBytes: number }).maxBytes / 1024)} KB without NUL characters, unpaired surrogates, numbers that would come back as others or __proto__`;
    case 'limit':
      return `${field} must be a whole number from 0 to ${String(rule)}, null (unlimited) or "default"`;
    case 'pattern':
      return field.includes('user') || field.includes('member')
        ? `${field} must be 1-128 printable ASCII characters without spaces and commas`
        : `${field} has the wrong form`;
    default:
      return `${field} is invalid`;
  }
}

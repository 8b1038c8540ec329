import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';

type Json = Record<string, unknown>;

interface Operation {
  readonly responses: Record<string, { content?: Record<string, { schema?: Json }>; headers?: Json }>;
}

const DOCUMENT = JSON.parse(readFileSync(join(__dirname, '..', '..', '..', 'docs', 'openapi.json'), 'utf8')) as Json & {
  paths: Record<string, Record<string, Operation | undefined>>;
};
const PATTERNS = Object.keys(DOCUMENT.paths).map((path) => ({
  path,
  // Literal segments win over parameters where both fit.
  rank: path.split('{').length,
  pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
}));
PATTERNS.sort((a, b) => a.rank - b.rank);
const RATE_HEADERS = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'];

const ajv = new Ajv({ strict: false, allErrors: true, formats: { double: true } });
ajv.addSchema(closed(DOCUMENT) as Json, 'openapi');
const compiled = new Map<string, ValidateFunction>();

export interface SeenResponse {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  /** The answer was asked for in an envelope. */
  readonly enveloped: boolean;
}

/**
 * Throws when a response is not as docs/openapi.json says: an undocumented status, a body that does not fit its
 * schema (unknown fields included), a documented header missing. Unknown routes answer 404/405 in the error shape.
 */
export function checkAgainstContract(seen: SeenResponse): void {
  const path = seen.path.split('?', 1)[0]?.replace(/\/+$/, '') || '/';
  const known = PATTERNS.find(({ pattern }) => pattern.test(path));
  const operation = known && DOCUMENT.paths[known.path]?.[seen.method.toLowerCase()];
  if (!operation) {
    if (seen.status === 404 || seen.status === 405 || seen.status === 400 || seen.status === 204) return;
    throw new Error(`${seen.method} ${path} is not documented but answered ${seen.status}`);
  }
  const where = `${seen.method} ${known.path} → ${seen.status}`;
  const response = operation.responses[String(seen.status)];
  if (!response) throw new Error(`${where}: the status is not documented; body ${JSON.stringify(seen.body)}`);
  checkHeaders(where, seen, response.headers ?? {});
  const content = response.content?.['application/json'];
  if (!content?.schema) return;
  const isSuccess = seen.status < 400;
  const body =
    seen.enveloped && isSuccess && !isEnvelope(content.schema) ? (seen.body as { data: unknown }).data : seen.body;
  const pointer = `openapi#/paths/${escape(known.path)}/${seen.method.toLowerCase()}/responses/${seen.status}/content/application~1json/schema`;
  let validate = compiled.get(pointer);
  if (!validate) compiled.set(pointer, (validate = ajv.compile({ $ref: pointer })));
  if (!validate(body)) throw new Error(`${where}: ${ajv.errorsText(validate.errors)}; body ${JSON.stringify(body)}`);
}

/** Routes that always envelop say so in their schema. */
function isEnvelope({ properties }: Json): boolean {
  return properties !== undefined && ['success', 'data'].every((name) => name in (properties as Json));
}

function checkHeaders(where: string, seen: SeenResponse, documented: Json): void {
  if (!seen.headers.get('x-request-id')) throw new Error(`${where}: no X-Request-Id`);
  const isLimited = seen.headers.has('x-ratelimit-limit');
  for (const name of Object.keys(documented).map((header) => header.toLowerCase())) {
    const isOptional = name === 'idempotent-replayed' || (RATE_HEADERS.includes(name) && !isLimited);
    if (!isOptional && !seen.headers.has(name)) throw new Error(`${where}: the documented header ${name} is missing`);
  }
}

function escape(path: string): string {
  return encodeURIComponent(path.replaceAll('~', '~0').replaceAll('/', '~1'));
}

/** Objects that list their properties have no others, and null is allowed where `nullable` says so, enums included. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node as Json).map(([key, value]) => [key, closed(value)]));
  if (copy['type'] === 'object' && copy['properties'] && copy['additionalProperties'] === undefined)
    copy['additionalProperties'] = false;
  if (copy['nullable'] === true && Array.isArray(copy['enum'])) copy['enum'] = [...(copy['enum'] as unknown[]), null];
  if (copy['nullable'] === true && Array.isArray(copy['allOf'])) {
    const { allOf, nullable: _nullable, type: _type, ...rest } = copy;
    return { ...rest, anyOf: [{ allOf }, { type: 'null' }] };
  }
  return copy;
}

import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { ErrorCode } from '../../../common/errors';
import { type AccessKind, CALLERS, type RouteAccess } from '../../auth';
import { rateLimitCodeOf } from '../../rate-limit';
import type { DtoClass, ObjectSchema, PropertySchema } from '../../validation';
import type { EnvelopeRule } from '../answers';
import {
  ERROR_SCHEMA,
  OPENAI_ERROR_SCHEMA,
  errorResponses,
  HEADER_PARAMETERS,
  headerRefs,
  HEADERS,
  type RouteFacts,
  TAG_HEADERS,
} from './errors';

/** What the decorators of a route say beyond what Swagger reads. */
export interface OperationFacts {
  readonly access: RouteAccess;
  readonly errors: readonly ErrorCode[];
  readonly listHeaders: readonly string[];
  /** It carries an ETag, and may be 304. */
  readonly isTagged: boolean;
  readonly envelope: EnvelopeRule;
}

interface DocumentedResponse {
  headers?: object;
  description?: string;
  content?: Record<string, { schema?: object }>;
}

interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  requestBody?: object;
  parameters?: object[];
  responses: Record<string, DocumentedResponse>;
}

type Operations = Record<string, Operation | undefined>;

/** JSON schema keywords that OpenAPI knows; our own are told in words by the descriptions. */
const KEYWORDS = [
  'type',
  'minLength',
  'maxLength',
  'pattern',
  'minimum',
  'maximum',
  'enum',
  'minItems',
  'maxItems',
  'uniqueItems',
] as const;
const UNCHANGED = 'The answer is one that `If-None-Match` names. It has no body.';
const RATE_HEADERS = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset'];
const METHODS = ['get', 'post', 'patch', 'put', 'delete'] as const;

/**
 * Completes the document: limits of the fields from the compiled schemas (what is validated is what is documented),
 * headers, errors and examples of path parameters.
 */
export function completeDocument(
  document: OpenAPIObject,
  schemas: ReadonlyMap<string, ObjectSchema>,
  facts: ReadonlyMap<string, OperationFacts>,
  pathExamples: Readonly<Record<string, string>>,
): OpenAPIObject {
  const components = (document.components ??= {});
  const documented = (components.schemas ??= {});
  for (const [name, schema] of schemas) if (documented[name]) merge(documented[name], schema);
  documented['ErrorAnswer'] = ERROR_SCHEMA;
  documented['OpenAiErrorAnswer'] = OPENAI_ERROR_SCHEMA;
  components.headers = HEADERS;
  components.parameters = HEADER_PARAMETERS;
  for (const [path, operations] of Object.entries(document.paths) as unknown as [string, Operations][])
    for (const method of METHODS) {
      const operation = operations[method];
      if (!operation) continue;
      completeOperation(operation, path, method, facts.get(operation.operationId ?? ''), pathExamples);
      giveBodyExample(operation, documented as Record<string, PropertySchema>);
    }
  integersOnly(document);
  return document;
}

function completeOperation(
  operation: Operation,
  path: string,
  method: string,
  facts: OperationFacts | undefined,
  pathExamples: Readonly<Record<string, string>>,
): void {
  if (!facts) throw new Error(`${operation.operationId ?? 'a route'} has no @Access`);
  const { access } = facts.access;
  operation.description = [operation.description, `**Who may call:** ${CALLERS[access]}.`].filter(Boolean).join('\n\n');
  const isIdempotent = method === 'post' && access !== 'public' && !facts.access.secretAnswer;
  const route: RouteFacts = {
    access,
    rateLimitCode: rateLimitCodeOf(path),
    method,
    hasBody: operation.requestBody !== undefined,
    idempotent: isIdempotent,
    isOpenAi: path.startsWith('/v1/'),
    extra: facts.errors,
  };
  const parameters = (operation.parameters ??= []) as {
    name?: string;
    in?: string;
    example?: string;
    schema?: { example?: string };
  }[];
  for (const parameter of parameters) {
    const example = parameter.in === 'path' ? pathExamples[parameter.name ?? ''] : undefined;
    // What a route says of its own parameter counts.
    const own = parameter.example ?? parameter.schema?.example ?? example;
    if (parameter.in === 'path' && own !== undefined) parameter.example = own;
  }
  const shared = sharedParameters(access, facts.isTagged, isIdempotent);
  operation.parameters.push(...shared.map((name) => ({ $ref: `#/components/parameters/${name}` })));
  const headers = headersOf(facts, isIdempotent);
  for (const response of Object.values(operation.responses)) {
    response.headers = headerRefs(headers);
    response.description ||= operation.summary ?? 'Done.';
    if (facts.envelope === 'always') envelop(response);
  }
  if (facts.isTagged) operation.responses['304'] = { description: UNCHANGED, headers: headerRefs(headers) };
  operation.responses = { ...operation.responses, ...(errorResponses(route) as Operation['responses']) };
}

function sharedParameters(access: AccessKind, isTagged: boolean, isIdempotent: boolean): string[] {
  return [
    'RequestId',
    ...(access === 'public' ? [] : ['ResponseFormat']),
    ...(isTagged ? ['IfNoneMatch'] : []),
    ...(isIdempotent ? ['IdempotencyKey'] : []),
  ];
}

function headersOf({ access, listHeaders, isTagged }: OperationFacts, isIdempotent: boolean): string[] {
  return [
    'X-Request-Id',
    ...(access.access === 'public' ? [] : RATE_HEADERS),
    ...listHeaders,
    ...(isTagged ? TAG_HEADERS : []),
    ...(isIdempotent ? ['Idempotent-Replayed'] : []),
  ];
}

/** `{success, data}` around the documented success, and null for an error where the caller asks for that too. */
function envelop({ content }: DocumentedResponse): void {
  const media = content?.['application/json'];
  if (media?.schema === undefined) return;
  media.schema = {
    type: 'object',
    required: ['success', 'data'],
    properties: {
      success: { type: 'boolean', enum: [true] },
      data: media.schema,
      error: { type: 'object', nullable: true, description: 'Null; with `X-Response-Format: envelope` only.' },
    },
  };
}

/**
 * An example of the whole body from the fields that have one. Without it Swagger UI fills in every optional field with
 * "string", which no server takes for a time, and every second try for a client_message_id.
 */
function giveBodyExample(operation: Operation, documented: Readonly<Record<string, PropertySchema>>): void {
  const media = (
    operation.requestBody as { content?: Record<string, { schema?: { $ref?: string }; example?: object }> } | undefined
  )?.content?.['application/json'];
  const name = media?.schema?.$ref?.split('/').pop();
  const properties =
    name === undefined ? undefined : (documented[name]?.['properties'] as Record<string, PropertySchema> | undefined);
  if (!media || !properties) return;
  const shown = Object.entries(properties).filter(([, property]) => property['example'] !== undefined);
  media.example = Object.fromEntries(shown.map(([field, property]) => [field, property['example']]));
}

/** Takes the limits of the fields over from a compiled schema. */
export function merge(target: object, schema: ObjectSchema): void {
  const documented = target as {
    required?: string[];
    additionalProperties?: boolean;
    properties?: Record<string, PropertySchema>;
  };
  documented.additionalProperties = false;
  if (schema.required.length > 0) documented.required = schema.required;
  else delete documented.required;
  for (const [name, property] of Object.entries(schema.properties)) {
    const shown = documented.properties?.[name];
    if (!shown || '$ref' in shown || 'allOf' in shown || 'oneOf' in shown) continue;
    copy(property, shown);
    if (property['keepsNull'] === true) shown['nullable'] = true;
    const items = property['items'] as PropertySchema | undefined;
    if (items && typeof shown['items'] === 'object') copy(items, shown['items'] as PropertySchema);
  }
}

function copy(from: PropertySchema, to: PropertySchema): void {
  for (const keyword of KEYWORDS)
    if (from[keyword] !== undefined && !(keyword === 'type' && to['type'] !== undefined && to['type'] !== 'number'))
      to[keyword] = from[keyword];
}

/** The compiler knows numbers only; all of ours are whole unless their format is `double`. */
export function integersOnly(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  const record = node as Record<string, unknown>;
  if (record['type'] === 'number' && record['format'] !== 'double') record['type'] = 'integer';
  for (const child of Object.values(record)) integersOnly(child);
}

/** Schemas of OpenAPI 3.0, by name. */
export type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/**
 * The schemas of DTO classes as the OpenAPI document has them, under the classes' names, with those that they refer to.
 * Complete only in a build: the Swagger plugin works in the compiler.
 * @param validated the compiled schemas of those that are validated, by the classes' names
 */
export function componentSchemas(
  app: INestApplication,
  classes: readonly DtoClass[],
  validated: ReadonlyMap<string, ObjectSchema>,
): Schemas {
  const document = SwaggerModule.createDocument(app, new DocumentBuilder().build(), { extraModels: [...classes] });
  const schemas = document.components?.schemas ?? {};
  for (const [name, schema] of validated) if (schemas[name]) merge(schemas[name], schema);
  integersOnly(schemas);
  return schemas;
}

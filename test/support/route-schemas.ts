import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A JSON schema as docs/openapi.json has it, references resolved. */
export interface Schema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly nullable?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

/** A documented route. */
export interface RouteSchema {
  readonly method: string;
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly pathParameters: readonly string[];
  readonly queryParameters: readonly { readonly name: string; readonly schema: Schema }[];
  /** undefined where the route takes no body. */
  readonly body: Schema | undefined;
}

/** A field of a body, nested ones by their path, e.g. `settings.response_format`. */
export interface DocumentedField {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly required: boolean;
}

interface Raw {
  readonly [key: string]: unknown;
}

const DOCUMENT = JSON.parse(readFileSync(join(__dirname, '..', '..', 'docs', 'openapi.json'), 'utf8')) as Raw & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Raw>>>>;
};

/** Every route of docs/openapi.json. */
export function routeSchemas(): RouteSchema[] {
  return Object.entries(DOCUMENT.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => {
      const parameters = (operation['parameters'] ?? []) as Raw[];
      const resolved = parameters.map((parameter) => resolve(parameter) as Raw);
      const body = (operation['requestBody'] as { content: Record<string, { schema: Raw }> } | undefined)?.content;
      const schema = body?.['application/json']?.schema;
      return {
        method: method.toUpperCase(),
        path,
        pathParameters: [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name ?? ''),
        queryParameters: resolved
          .filter((parameter) => parameter['in'] === 'query')
          .map((parameter) => ({ name: String(parameter['name']), schema: parameter['schema'] as Schema })),
        body: schema === undefined ? undefined : (resolve(schema) as Schema),
      };
    }),
  );
}

/** The fields of a body, nested objects' fields included. */
export function fieldsOf(schema: Schema, parents: readonly string[] = []): DocumentedField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = [...parents, name];
    const required = schema.required?.includes(name) ?? false;
    return [{ path, schema: property, required }, ...fieldsOf(property, path)];
  });
}

/** `{a: {b: value}}` for the path a, b, on top of a body. */
export function withField(body: object, [first, ...rest]: readonly string[], value: unknown): object {
  if (first === undefined) return body;
  if (rest.length === 0) return { ...body, [first]: value };
  const inner = (body as Record<string, object | undefined>)[first] ?? {};
  return { ...body, [first]: withField(inner, rest, value) };
}

function resolve(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(resolve);
  if (typeof node !== 'object' || node === null) return node;
  const { $ref, allOf, ...own } = node as Raw;
  const parts = [
    ...(Array.isArray(allOf) ? (allOf as unknown[]) : []),
    ...(typeof $ref === 'string' ? [at($ref)] : []),
  ];
  const merged: Raw = Object.assign({}, ...parts.map((part) => resolve(part) as Raw), own) as Raw;
  return Object.fromEntries(Object.entries(merged).map(([key, value]) => [key, resolve(value)]));
}

function at(ref: string): unknown {
  return ref
    .replace(/^#\//, '')
    .split('/')
    .reduce<unknown>((node, key) => (node as Raw)[key], DOCUMENT);
}

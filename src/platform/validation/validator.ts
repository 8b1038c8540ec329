/** From a JSON text to a checked body or query. */
import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import Ajv, { type ErrorObject, type ValidateFunction } from 'ajv';
import secureJsonParse from 'secure-json-parse';
import { AppError, type FieldError, invalidFields } from '../../common/errors';
import {
  findInexactNumber,
  findUnstorable,
  glanceAt,
  isBlank,
  isStorableText,
  jsonBytes,
  MAX_JSON_DEPTH,
  reservedPrefixOf,
} from '../../common/text';
import { compileSchema, type DtoClass, isDto, type ObjectSchema, type PropertySchema } from './compile-schema';
import { describeFaults } from './faults';

const MAX_SHOWN = 100;
/** Largest body or frame as UTF-8 JSON in which nothing is escaped that need not be, in bytes (contract §1). */
const MAX_JSON_BYTES = 256 * 1024;
/**
 * Largest body or frame as it is sent, in bytes. Many libraries write whatever is no ASCII as escapes: `é` becomes
 * `\u00e9`, an emoji two of them. That makes three bytes of one, and what is legal must not depend on it.
 */
export const MAX_SENT_JSON_BYTES = 3 * MAX_JSON_BYTES;

/** Whether a value is larger than a body or frame may be; `sentBytes`: how it came. Costs something beyond 256 KB only. */
export function isTooLarge(value: unknown, sentBytes: number): boolean {
  return sentBytes > MAX_JSON_BYTES && jsonBytes(value) > MAX_JSON_BYTES;
}

/** Why a JSON text is refused, as a sentence without a subject, e.g. `is not valid JSON`. */
export class JsonRefused extends Error {
  constructor(
    message: string,
    /** Path of what is refused, where it is one value. */
    readonly field?: string,
    /** What the text holds, where it is JSON and one value alone is refused. */
    readonly value?: unknown,
  ) {
    super(message);
  }
}

/** 400 for a text, e.g. `The body`, that names the field where there is one. */
export function refused(what: string, { message, field }: JsonRefused): AppError {
  const about = field === undefined || field === '' ? {} : { field };
  return new AppError('VALIDATION_ERROR', `${what} ${message}`, about);
}

/**
 * Parses a JSON text from outside: at most `maxDepth` levels, no byte order mark, no key that could reach a prototype
 * (`__proto__`, `constructor.prototype`), no number that would come back as another one. Depth is measured before the
 * parse: deeper values overflow the stack of whatever walks them later. Throws JsonRefused.
 */
export function parseJson(text: string, maxDepth = MAX_JSON_DEPTH): unknown {
  const glance = glanceAt(text, maxDepth);
  if (glance === 'deep') throw new JsonRefused(`nests deeper than ${maxDepth} levels`);
  if (text.charCodeAt(0) === 0xfeff) throw new JsonRefused('begins with a byte order mark');
  const value = parsed(text);
  if (glance === 'numbers') refuseInexact(text, value);
  return value;
}

function parsed(text: string): unknown {
  try {
    return secureJsonParse.parse(text, undefined, { protoAction: 'error', constructorAction: 'error' });
  } catch {
    throw new JsonRefused('is not valid JSON, or holds a forbidden key such as __proto__');
  }
}

/** Two bodies that differ in such a number alone would count as the same, and a client would get back another id. */
function refuseInexact(text: string, value: unknown): void {
  const field = findInexactNumber(text)?.slice(0, MAX_SHOWN).toWellFormed();
  if (field === undefined) return;
  const where = field === '' ? '' : ` at ${field}`;
  throw new JsonRefused(
    `holds a number${where} that would come back as another one; send it as a string`,
    field,
    value,
  );
}

interface Compiled {
  readonly schema: ObjectSchema;
  /** Stops at the first fault: the path of good input. */
  readonly fast: ValidateFunction;
  /** Collects all faults; built at the first bad input. */
  full: ValidateFunction | undefined;
}

export interface JsonObjectRule {
  readonly maxBytes: number;
  /** Also accept a string that holds a JSON object. */
  readonly orText?: boolean;
}

/**
 * Validates with schemas compiled from the DTO classes' decorators. REST, query strings and socket frames use this
 * and nothing else. Compile at boot with `prepare`: an unknown decorator fails there.
 */
export class Validator {
  private readonly compiled = new WeakMap<DtoClass, Compiled>();
  private readonly first = createAjv(false);
  private readonly all = createAjv(true);

  /** Compiles a class ahead of its first use. */
  prepare(dto: DtoClass): ObjectSchema {
    return this.of(dto).schema;
  }

  /**
   * Checks a parsed JSON body or frame. `null` for an optional field counts as absent and is removed. Throws 400
   * with all faults.
   */
  body<T extends object>(dto: new () => T, value: unknown, what = 'Body'): T {
    const compiled = this.of(dto);
    if (value === undefined && compiled.schema.required.length === 0) return {} as T;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new AppError('VALIDATION_ERROR', `${what} must be a JSON object`);
    const meant = dropNulls(compiled.schema, value as Record<string, unknown>);
    if (!compiled.fast(value)) this.refuse(compiled, value);
    for (const [owner, name] of meant) owner[name] = null;
    return value as T;
  }

  /**
   * Checks a query string: whole numbers and booleans are read from text, an empty value is none of them.
   * Unknown parameters were refused at the gate. Throws 400 with all faults.
   */
  query<T extends object>(dto: new () => T, value: unknown): T {
    const compiled = this.of(dto);
    const picked: Record<string, unknown> = {};
    for (const [name, schema] of Object.entries(compiled.schema.properties)) {
      const raw = (value as Record<string, unknown> | undefined)?.[name];
      if (raw !== undefined) picked[name] = schema['type'] === 'integer' ? toInteger(raw) : toBoolean(schema, raw);
    }
    if (!compiled.fast(picked)) this.refuse(compiled, picked);
    return picked as T;
  }

  private refuse(compiled: Compiled, value: unknown): never {
    const [fault] = compiled.fast.errors ?? [];
    // Too many items: what else is wrong with each of them is not worth the time.
    if (fault?.keyword === 'maxItems') throw invalidFields(describeFaults([fault], compiled.schema));
    compiled.full ??= this.all.compile(compiled.schema);
    compiled.full(value);
    const errors: ErrorObject[] = compiled.full.errors ?? [];
    throw invalidFields(describeFaults(errors, compiled.schema) satisfies FieldError[]);
  }

  private of(dto: DtoClass): Compiled {
    let compiled = this.compiled.get(dto);
    if (!compiled) {
      const schema = compileSchema(dto);
      compiled = { schema, fast: this.first.compile(schema), full: undefined };
      this.compiled.set(dto, compiled);
    }
    return compiled;
  }
}

function createAjv(allErrors: boolean): Ajv {
  const ajv = new Ajv({ allErrors, strict: false, verbose: allErrors });
  // ajv's own compares each item with each other where it does not know their type: seconds for a body of 256 KB.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    validate: (_: unknown, v: readonly unknown[]) => new Set(v).size === v.length,
  });
  ajv.addKeyword({ keyword: 'storable', type: 'string', validate: (_: unknown, v: string) => isStorableText(v) });
  ajv.addKeyword({ keyword: 'notBlank', type: 'string', validate: (_: unknown, v: string) => !isBlank(v) });
  ajv.addKeyword({
    keyword: 'unreserved',
    type: 'string',
    validate: (_: unknown, v: string) => reservedPrefixOf(v) === undefined,
  });
  ajv.addKeyword({ keyword: 'isoTime', type: 'string', validate: (_: unknown, v: string) => isIsoTime(v) });
  ajv.addKeyword({ keyword: 'jsonObject', validate: (rule: JsonObjectRule, v: unknown) => isJsonObject(rule, v) });
  ajv.addKeyword({ keyword: 'limit', validate: (max: number, v: unknown) => isLimit(max, v) });
  return ajv;
}

/** A level of the body is gone where the object comes as text: what is taken as text could be sent as an object. */
const MAX_TEXT_DEPTH = MAX_JSON_DEPTH - 1;

/** Reads a meta or metadata field that may have come as text; call only on values that passed the schema. */
export function asJsonObject(value: Record<string, unknown> | string): Record<string, unknown> {
  return typeof value === 'string' ? (JSON.parse(value) as Record<string, unknown>) : value;
}

function isJsonObject(rule: JsonObjectRule, value: unknown): boolean {
  let object = value;
  if (typeof value === 'string' && rule.orText) {
    try {
      object = parseJson(value, MAX_TEXT_DEPTH);
    } catch {
      return false;
    }
  }
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return false;
  return jsonBytes(object) <= rule.maxBytes && findUnstorable(object) === undefined;
}

function isLimit(max: number, value: unknown): boolean {
  return (
    value === null ||
    value === 'default' ||
    (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max)
  );
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/;

function isIsoTime(value: string): boolean {
  return ISO_TIME.test(value) && !Number.isNaN(Date.parse(value));
}

/** No list of objects may be longer. */
const MAX_LISTED = 1000;

/** Takes the nulls out of optional fields; returns those that mean something, to be put back after the check. */
function dropNulls(schema: ObjectSchema, value: Record<string, unknown>): [Record<string, unknown>, string][] {
  const meant: [Record<string, unknown>, string][] = [];
  for (const name of Object.keys(value)) {
    const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    if (!property) continue;
    const child = value[name];
    if (child === null) {
      if (schema.required.includes(name) || property['limit'] !== undefined) continue;
      Reflect.deleteProperty(value, name);
      if (property['keepsNull'] === true) meant.push([value, name]);
    } else if (Array.isArray(child)) {
      const items = property['items'] as PropertySchema | undefined;
      if (items?.['properties'] !== undefined)
        for (const item of child.slice(0, MAX_LISTED))
          if (isObject(item)) meant.push(...dropNulls(items as unknown as ObjectSchema, item));
    } else if (property['properties'] !== undefined && isObject(child))
      meant.push(...dropNulls(property as unknown as ObjectSchema, child));
  }
  return meant;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toInteger(raw: unknown): unknown {
  return typeof raw === 'string' && /^-?\d+$/.test(raw) ? Number(raw) : raw;
}

function toBoolean(schema: PropertySchema, raw: unknown): unknown {
  if (schema['type'] !== 'boolean') return raw;
  return raw === 'true' ? true : raw === 'false' ? false : raw;
}

/** Hands bodies and query strings to the compiled validator; everything else passes untouched. */
@Injectable()
export class CompiledValidationPipe implements PipeTransform {
  private readonly known = new WeakMap<object, boolean>();

  constructor(private readonly validator: Validator) {}

  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if ((type !== 'body' && type !== 'query') || metatype === undefined || !this.isDto(metatype)) return value;
    return type === 'body' ? this.validator.body(metatype, value) : this.validator.query(metatype, value);
  }

  private isDto(metatype: NonNullable<ArgumentMetadata['metatype']>): metatype is new () => object {
    let answer = this.known.get(metatype);
    if (answer === undefined) this.known.set(metatype, (answer = isDto(metatype)));
    return answer;
  }
}

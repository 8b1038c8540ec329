import { invalid } from '../../../common/errors';
import type { ResponseFormat } from '../contract';

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const FIELDS: readonly string[] = ['name', 'description', 'schema', 'strict'];

/** The shape of an answer as somebody asks for it; throws 400 for what no provider would understand. */
export function checkedResponseFormat(value: Readonly<Record<string, unknown>>, field: string): ResponseFormat {
  const { type, json_schema: named, ...rest } = value;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw invalid(field, `${field} must not have "${unknown}"`);
  if (type === 'json_schema') return { type, json_schema: checkedSchema(named, field) };
  if (type !== 'text' && type !== 'json_object')
    throw invalid(field, `${field}.type must be text, json_object or json_schema`);
  if (named !== undefined) throw invalid(field, `${field}.json_schema needs the type json_schema`);
  return { type };
}

function checkedSchema(value: unknown, field: string): Extract<ResponseFormat, { type: 'json_schema' }>['json_schema'] {
  const fault = (what: string) => invalid(field, `${field}.json_schema ${what}`);
  if (!isObject(value)) throw fault('must be an object');
  const unknown = Object.keys(value).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) throw fault(`must not have "${unknown}"`);
  const { name, description, schema, strict } = value;
  if (typeof name !== 'string' || !NAME.test(name)) throw fault('must have a name of 1-64 letters, digits, _ and -');
  if (!isObject(schema)) throw fault('must have a schema, an object');
  if (description !== undefined && typeof description !== 'string') throw fault('has a description that is no text');
  if (strict !== undefined && typeof strict !== 'boolean') throw fault('has a strict that is no boolean');
  return {
    name,
    schema,
    ...(description === undefined ? {} : { description }),
    ...(strict === undefined ? {} : { strict }),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { getMetadataStorage } from 'class-validator';
import { nestedType, RULES, USER_ID_SCHEMA } from './decorators';

/** A JSON schema as far as we build one. */
export interface ObjectSchema {
  readonly type: 'object';
  readonly properties: Record<string, PropertySchema>;
  readonly required: string[];
  readonly additionalProperties: false;
}
export type PropertySchema = Record<string, unknown>;

export type DtoClass = new () => object;

/** A decorator on a DTO that the compiler does not know; fails the boot. */
export class UnknownDecorator extends Error {
  constructor(dto: string, property: string, rule: string) {
    super(`${dto}.${property} has the validation decorator "${rule}", which the schema compiler does not know`);
  }
}

interface Rule {
  readonly propertyName: string;
  readonly name: string;
  readonly constraints: readonly unknown[];
  readonly each: boolean;
  readonly message: string | undefined;
}

/** Of any version, with dashes; as PostgreSQL writes them. */
const UUID = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

type Keywords = (constraints: readonly unknown[]) => PropertySchema;

/** class-validator's rules as JSON schema keywords. Lengths count code points, as ajv does. */
const KEYWORDS: Readonly<Record<string, Keywords>> = {
  isString: () => ({ type: 'string', storable: true }),
  isInt: () => ({ type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  isNumber: () => ({ type: 'number' }),
  isBoolean: () => ({ type: 'boolean' }),
  isArray: () => ({ type: 'array' }),
  minLength: ([n]) => ({ minLength: n }),
  maxLength: ([n]) => ({ maxLength: n }),
  isLength: ([min, max]) => ({ minLength: min, ...(max === undefined ? {} : { maxLength: max }) }),
  min: ([n]) => ({ minimum: n }),
  max: ([n]) => ({ maximum: n }),
  isIn: ([values]) => ({ enum: values }),
  matches: ([pattern]) => ({ pattern: (pattern as RegExp).source }),
  arrayMinSize: ([n]) => ({ minItems: n }),
  arrayMaxSize: ([n]) => ({ maxItems: n }),
  arrayUnique: () => ({ uniqueItems: true }),
  isUuid: () => ({ type: 'string', pattern: UUID }),
  isIso8601: () => ({ type: 'string', isoTime: true }),
  [RULES.userId]: () => ({ ...USER_ID_SCHEMA }),
  [RULES.jsonObject]: ([options]) => ({ jsonObject: options }),
  [RULES.limit]: ([max]) => ({ limit: max }),
  [RULES.nullable]: () => ({ keepsNull: true }),
  [RULES.notBlank]: () => ({ notBlank: true }),
};

/** Builds the schema of a DTO class from its decorators. Unknown fields are refused; nested classes are inlined. */
export function compileSchema(dto: DtoClass): ObjectSchema {
  const schema: ObjectSchema = { type: 'object', properties: {}, required: [], additionalProperties: false };
  const optional = new Set<string>();
  for (const rule of rulesOf(dto)) {
    if (rule.name === 'isOptional') {
      optional.add(rule.propertyName);
      continue;
    }
    const keywords = keywordsOf(dto, rule);
    const property = (schema.properties[rule.propertyName] ??= {});
    if (rule.each) property['items'] = { ...(property['items'] as object | undefined), ...keywords };
    else Object.assign(property, keywords);
    if (rule.message !== undefined) property['faultMessage'] = rule.message;
  }
  for (const name of Object.keys(schema.properties)) if (!optional.has(name)) schema.required.push(name);
  return schema;
}

/** Whether a class carries validation decorators at all. */
export function isDto(candidate: unknown): candidate is DtoClass {
  return (
    typeof candidate === 'function' &&
    getMetadataStorage().getTargetValidationMetadatas(candidate, '', false, false).length > 0
  );
}

function keywordsOf(dto: DtoClass, rule: Rule): PropertySchema {
  if (rule.name === 'nested') {
    const type = nestedType(dto.prototype as object, rule.propertyName);
    if (!type) throw new UnknownDecorator(dto.name, rule.propertyName, 'ValidateNested without IsNested');
    return { ...compileSchema(type) };
  }
  const make = KEYWORDS[rule.name];
  if (!make) throw new UnknownDecorator(dto.name, rule.propertyName, rule.name);
  return make(rule.constraints);
}

/** In the order of the fields; within a field from top to bottom, so that @Min narrows what @IsInt above it set. */
function rulesOf(dto: DtoClass): Rule[] {
  const fields = new Map<string, Rule[]>();
  for (const m of getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false)) {
    const isNested = m.type === 'nestedValidation';
    const rule: Rule = {
      propertyName: m.propertyName,
      name: isNested ? 'nested' : (m.name ?? m.type),
      constraints: m.constraints ?? [],
      each: m.each,
      // What @ValidateNested says by itself is class-validator's own template.
      message: typeof m.message === 'string' && !isNested ? m.message : undefined,
    };
    // Decorators register from bottom to top.
    fields.set(m.propertyName, [rule, ...(fields.get(m.propertyName) ?? [])]);
  }
  return [...fields.values()].flat();
}

import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { ValidateBy, ValidateNested } from 'class-validator';
import { USER_ID_PATTERN } from '../../common/text';

/** Names under which the schema compiler knows our own rules. */
export const RULES = {
  userId: 'isUserId',
  jsonObject: 'isJsonObject',
  limit: 'isLimit',
  nullable: 'isNullable',
  notBlank: 'isNotBlank',
} as const;

const NESTED = Symbol('nested DTO class');
const nested = new Set<() => new () => object>();

/** The rules are checked by the compiled schema; class-validator itself is never run. */
const compiledOnly = { validate: (): boolean => true };

/** A user id: 1–128 printable ASCII characters without spaces and commas, not beginning with `agent_` or `erased_`. */
export function IsUserId(options: { each?: boolean } = {}): PropertyDecorator {
  return applyDecorators(ValidateBy({ name: RULES.userId, validator: compiledOnly }, { each: options.each ?? false }));
}

/** A JSON object of at most `maxBytes` bytes as UTF-8 JSON. */
export function IsJsonObject(options: { maxBytes: number; orText?: boolean }): PropertyDecorator {
  return applyDecorators(
    ValidateBy({ name: RULES.jsonObject, constraints: [options], validator: compiledOnly }),
    ApiProperty({ type: 'object', additionalProperties: true }),
  );
}

/** A limit of a tenant: a whole number, null for unlimited, `"default"` to reset it. */
export function IsLimit(options: { max: number }): PropertyDecorator {
  return applyDecorators(
    ValidateBy({ name: RULES.limit, constraints: [options.max], validator: compiledOnly }),
    ApiProperty({
      oneOf: [
        { type: 'integer', minimum: 0, maximum: options.max },
        { type: 'string', enum: ['default'] },
      ],
      nullable: true,
    }),
  );
}

/** null is a value of its own here (e.g. "back to the default"), not an absent field. */
export function IsNullable(): PropertyDecorator {
  return applyDecorators(
    ValidateBy({ name: RULES.nullable, validator: compiledOnly }),
    ApiProperty({ nullable: true }),
  );
}

/** Text that shows something: not only blanks, control characters and what no font shows. */
export function IsNotBlank(): PropertyDecorator {
  return ValidateBy({ name: RULES.notBlank, validator: compiledOnly });
}

/** A nested object with a DTO class of its own; with `each` a list of them. */
export function IsNested(type: () => new () => object, options: { each?: boolean } = {}): PropertyDecorator {
  nested.add(type);
  return (target, property) => {
    Reflect.defineMetadata(NESTED, type, target, property);
    ValidateNested({ each: options.each ?? false })(target, property);
  };
}

/** The nested DTO classes that any DTO names; for the documents. */
export function nestedClasses(): readonly (new () => object)[] {
  return [...nested].map((type) => type());
}

/** The class of a nested property, as given to IsNested. */
export function nestedType(target: object, property: string): (new () => object) | undefined {
  const type = Reflect.getMetadata(NESTED, target, property) as (() => new () => object) | undefined;
  return type?.();
}

/** JSON schema of a user id. */
export const USER_ID_SCHEMA = { type: 'string', pattern: USER_ID_PATTERN, unreserved: true } as const;

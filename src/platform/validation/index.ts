/**
 * Validation: DTO classes and their class-validator decorators are the single source; at boot they are compiled to
 * JSON schemas, which are all that runs. A decorator that the compiler does not know fails the boot.
 */
export { IsJsonObject, IsLimit, IsNested, IsNotBlank, IsNullable, IsUserId, nestedClasses } from './decorators';
export { compileSchema, isDto, type DtoClass, type ObjectSchema, type PropertySchema } from './compile-schema';
export {
  asJsonObject,
  CompiledValidationPipe,
  isTooLarge,
  JsonRefused,
  MAX_SENT_JSON_BYTES,
  parseJson,
  refused,
  Validator,
} from './validator';

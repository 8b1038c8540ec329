import type { INestApplicationContext } from '@nestjs/common';
import { type DtoClass, isDto, nestedClasses, type ObjectSchema, type Validator } from '../validation';
import { controllerMethods } from './controllers';

/**
 * Compiles the DTO of every controller method at boot, so that a decorator nobody knows fails here and not later.
 * Returns the schemas by class name, nested classes included.
 */
export function compileDtos(app: INestApplicationContext, validator: Validator): ReadonlyMap<string, ObjectSchema> {
  const types = controllerMethods(app).flatMap(({ parameters }) => parameters.filter(isDto));
  const all: readonly DtoClass[] = [...types, ...nestedClasses()];
  return new Map(all.map((type) => [type.name, validator.prepare(type)]));
}

import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { DtoClass, ObjectSchema } from '../../validation';
import { integersOnly, merge } from './complete';

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

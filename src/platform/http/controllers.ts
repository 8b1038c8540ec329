import type { INestApplicationContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

/** One method of a controller class. */
export interface ControllerMethod {
  /** Name of the class. */
  readonly controller: string;
  readonly method: string;
  readonly handler: object;
  /** Classes of the parameters, as far as the compiler wrote them down. */
  readonly parameters: readonly unknown[];
  /** Those of the parameters that take the query. */
  readonly queries: readonly unknown[];
}

/** Every method of every controller of the app. */
export function controllerMethods(app: INestApplicationContext): ControllerMethod[] {
  const discovery = app.get(DiscoveryService, { strict: false });
  const scanner = app.get(MetadataScanner, { strict: false });
  return discovery.getControllers().flatMap(({ metatype, name }) => {
    const prototype = (metatype as { prototype?: object } | null)?.prototype;
    if (!prototype) return [];
    return scanner.getAllMethodNames(prototype).map((method) => {
      const parameters = (Reflect.getMetadata('design:paramtypes', prototype, method) ?? []) as unknown[];
      return {
        controller: String(name),
        method,
        handler: (prototype as Record<string, object>)[method] ?? {},
        parameters,
        queries: queryArguments(prototype, method).map((index) => parameters[index]),
      };
    });
  });
}

/** Where among its arguments a method takes the query. Nest keeps them by kind and place: `4:0`. */
function queryArguments(prototype: object, method: string): number[] {
  const decorated = (Reflect.getMetadata(ROUTE_ARGS_METADATA, prototype.constructor, method) ?? {}) as object;
  return Object.keys(decorated)
    .map((key) => key.split(':').map(Number))
    .flatMap(([kind, index]) => (kind === RouteParamtypes.QUERY && index !== undefined ? [index] : []));
}

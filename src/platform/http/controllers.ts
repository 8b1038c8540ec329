import type { INestApplicationContext } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

/** One method of a controller class. */
export interface ControllerMethod {
  /** Name of the class. */
  readonly controller: string;
  readonly method: string;
  readonly handler: object;
  /** Classes of the parameters, as far as the compiler wrote them down. */
  readonly parameters: readonly unknown[];
}

/** Every method of every controller of the app. */
export function controllerMethods(app: INestApplicationContext): ControllerMethod[] {
  const discovery = app.get(DiscoveryService, { strict: false });
  const scanner = app.get(MetadataScanner, { strict: false });
  return discovery.getControllers().flatMap(({ metatype, name }) => {
    const prototype = (metatype as { prototype?: object } | null)?.prototype;
    if (!prototype) return [];
    return scanner.getAllMethodNames(prototype).map((method) => ({
      controller: String(name),
      method,
      handler: (prototype as Record<string, object>)[method] ?? {},
      parameters: (Reflect.getMetadata('design:paramtypes', prototype, method) ?? []) as unknown[],
    }));
  });
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Parameter {
  readonly name?: string;
  readonly in?: string;
}

export interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, { readonly example?: Record<string, unknown> }> };
  readonly security?: readonly Record<string, unknown>[];
  readonly responses: Record<string, unknown>;
}

/** One operation of docs/openapi.json. */
export interface DocumentedRoute {
  /** In capitals. */
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly operation: Operation;
  readonly pathParams: readonly string[];
  readonly queryParams: readonly string[];
  /** The documented example of the body; undefined where the route takes none. */
  readonly body: Record<string, unknown> | undefined;
  /** Names of the security schemes with which the route opens; empty for public routes. */
  readonly schemes: readonly string[];
}

const DOCUMENT = JSON.parse(readFileSync(join(__dirname, '..', '..', 'docs', 'openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
};

/** Every operation of the document. */
export function documentedRoutes(): DocumentedRoute[] {
  return Object.entries(DOCUMENT.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
      pathParams: [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? ''),
      queryParams: (operation.parameters ?? []).filter((p) => p.in === 'query').map((p) => p.name ?? ''),
      body: operation.requestBody?.content['application/json']?.example,
      schemes: (operation.security ?? []).flatMap((scheme) => Object.keys(scheme)),
    })),
  );
}

/** Every path of the document, with something in place of its parameters. */
export function documentedPaths(): string[] {
  return Object.keys(DOCUMENT.paths).map((path) => path.replace(/\{[^}]+\}/g, 'x'));
}

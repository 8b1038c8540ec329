import type { OpenAPIObject } from '@nestjs/swagger';
import { loadConfig } from '../config';
import { makeNest, PATH_EXAMPLES } from '../nest';
import { unopenedDatabase } from '../platform/database';
import { buildDocument } from '../platform/http';
import { Lifecycle } from '../platform/lifecycle';
import { SilentLog } from '../platform/logging';
import { Secrets } from '../platform/secrets';

/** The OpenAPI document of the whole app, without listening and without a database. */
export async function buildOpenApi(): Promise<OpenAPIObject> {
  const log = new SilentLog();
  const resources = {
    config: loadConfig({}),
    log,
    lifecycle: new Lifecycle(log),
    secrets: new Secrets('', '', '', undefined),
  };
  return buildDocument(await makeNest(resources, unopenedDatabase(log)), PATH_EXAMPLES);
}

/** docs/openapi.json: what Swagger UI shows, for code generators and for the response checks of the e2e suite. */
export async function openApiPage(): Promise<string> {
  return `${JSON.stringify(await buildOpenApi(), null, 2)}\n`;
}

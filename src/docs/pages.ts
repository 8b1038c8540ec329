import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ERROR_CATALOGUE } from '../common/errors';
import { CONFIG_AREAS, loadConfig } from '../config';
import { makeNest, PATH_EXAMPLES } from '../nest';
import { tableOf, unopenedDatabase } from '../platform/database';
import { buildDocument } from '../platform/http';
import { Lifecycle } from '../platform/lifecycle';
import { SilentLog } from '../platform/logging';
import { METRIC_DEFINITIONS, METRIC_PREFIX } from '../platform/metrics';
import { buildSocketDocument } from '../realtime';
import { Secrets } from '../platform/secrets';
import { type TableDeclaration, tableData } from '../platform/tenant-data';
import { configPage, envExample } from './config-page';
import { dataPage } from './data-page';
import { errorsPage, metricsPage } from './errors-page';

/** One generated file: its path from the root of the repository, and its text. */
export interface GeneratedPage {
  readonly path: string;
  readonly render: () => string | Promise<string>;
}

/** Every generated file. */
export const GENERATED_PAGES: readonly GeneratedPage[] = [
  { path: 'docs/errors.md', render: () => errorsPage(ERROR_CATALOGUE) },
  { path: 'docs/config.md', render: () => configPage(CONFIG_AREAS) },
  { path: '.env.example', render: () => envExample(CONFIG_AREAS) },
  { path: 'docs/metrics.md', render: () => metricsPage(METRIC_DEFINITIONS, METRIC_PREFIX) },
  { path: 'docs/data.md', render: () => dataPage(declaredTables()) },
  { path: 'docs/openapi.json', render: openApiPage },
  { path: 'docs/asyncapi.json', render: asyncApiPage },
];

/** The whole app, without listening and without a database. */
export function unopenedNest(): Promise<NestFastifyApplication> {
  const log = new SilentLog();
  const resources = {
    config: loadConfig({}),
    log,
    lifecycle: new Lifecycle(log),
    secrets: new Secrets('', '', '', undefined),
  };
  return makeNest(resources, unopenedDatabase(log));
}

/** All that the modules declare: importing the app has loaded them. */
function declaredTables(): Map<string, TableDeclaration> {
  return new Map([...tableData()].map(([entity, declaration]) => [tableOf(entity) ?? '', declaration]));
}

/** docs/asyncapi.json: what /docs/ws shows, for code generators and for the frame checks of the e2e suite. */
async function asyncApiPage(): Promise<string> {
  return `${JSON.stringify(buildSocketDocument(await unopenedNest()), null, 2)}\n`;
}

/** docs/openapi.json: what Swagger UI shows, for code generators and for the response checks of the e2e suite. */
async function openApiPage(): Promise<string> {
  return `${JSON.stringify(buildDocument(await unopenedNest(), PATH_EXAMPLES), null, 2)}\n`;
}

import { ERROR_CATALOGUE } from '../common/errors';
import { CONFIG_AREAS } from '../config';
import { METRIC_DEFINITIONS, METRIC_PREFIX } from '../platform/metrics';
import { asyncApiPage } from './asyncapi-page';
import { configPage } from './config-page';
import { envExample } from './env-example';
import { errorsPage } from './errors-page';
import { metricsPage } from './metrics-page';
import { openApiPage } from './openapi-page';

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
  { path: 'docs/openapi.json', render: openApiPage },
  { path: 'docs/asyncapi.json', render: asyncApiPage },
];

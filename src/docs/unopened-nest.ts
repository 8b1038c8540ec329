import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig } from '../config';
import { makeNest } from '../nest';
import { unopenedDatabase } from '../platform/database';
import { Lifecycle } from '../platform/lifecycle';
import { SilentLog } from '../platform/logging';
import { Secrets } from '../platform/secrets';

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

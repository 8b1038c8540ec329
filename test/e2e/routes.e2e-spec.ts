import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig } from '../../src/config';
import { makeNest, PATH_EXAMPLES } from '../../src/nest';
import type { RouteAccess } from '../../src/platform/auth';
import { unopenedDatabase } from '../../src/platform/database';
import { installHttp, installSwagger, installWeb } from '../../src/platform/http';
import { Lifecycle } from '../../src/platform/lifecycle';
import { installSocketDocs } from '../../src/realtime';
import { SilentLog } from '../../src/platform/logging';
import { Secrets } from '../../src/platform/secrets';
import { build } from '../support/built-server';
import { documentedRoutes } from '../support/documented-routes';

const MASTER_KEY = 'a-master-key-of-the-test';
/** The whole list of what opens without a credential; preflights are answered before any route. */
const PUBLIC = [
  'GET /',
  'GET /admin/ui',
  'GET /admin/ui/*',
  'GET /asyncapi.json',
  'GET /docs',
  'GET /docs-json',
  'GET /docs-yaml',
  'GET /exports/file',
  'GET /favicon.ico',
  'GET /favicon.svg',
  'GET /health',
  'GET /health/live',
  'GET /health/ready',
  'GET /llms.txt',
  'GET /metrics',
  'GET /openapi.json',
  'GET /playground',
  'GET /robots.txt',
  'GET /ui/assets/*',
];

interface SeenRoute {
  readonly method: string;
  readonly url: string;
  readonly access: RouteAccess | undefined;
}

/** Nothing here needs a database: the gate refuses, or lets through, before one is asked. */
describe('deny by default', () => {
  const routes: SeenRoute[] = [];
  const log = new SilentLog();
  const lifecycle = new Lifecycle(log);
  const database = unopenedDatabase(log);
  let nest: NestFastifyApplication;

  beforeAll(async () => {
    await build();
    const secrets = new Secrets(MASTER_KEY, 'j'.repeat(32), '0'.repeat(64), undefined);
    nest = await makeNest({ config: loadConfig({}), log, lifecycle, secrets }, database);
    const fastify = nest.getHttpAdapter().getInstance();
    const options: { method: string | string[]; url: string; config?: { access?: RouteAccess } }[] = [];
    fastify.addHook('onRoute', (route) => {
      options.push(route);
    });
    await installHttp(nest, []);
    await installSwagger(nest, PATH_EXAMPLES);
    installSocketDocs(nest);
    await installWeb(nest);
    fastify.get('/without-a-rule', () => ({ leaked: true }));
    fastify.post('/without-a-rule', () => ({ leaked: true }));
    await nest.init();
    await fastify.ready();
    // Read at the end: other hooks write rules too, and what they have written by now is what is in force.
    for (const route of options)
      for (const method of [route.method].flat()) {
        // The catch-all of preflights, which the CORS hook answers.
        if (route.url !== '*' || method !== 'OPTIONS')
          routes.push({ method, url: route.url, access: route.config?.access });
      }
  });
  afterAll(async () => {
    await nest.close();
    await lifecycle.stop('test over');
    database.availability.stop();
  });

  it('exactly these routes are public', () => {
    const open = routes
      .filter(({ method, access }) => method !== 'HEAD' && access?.access === 'public')
      .map(({ method, url }) => `${method} ${url}`)
      // Swagger UI's own files and their aliases.
      .filter((route) => !/^GET \/docs\//.test(route));
    expect([...new Set(open)].sort()).toEqual(PUBLIC);
  });

  it('every other route has a rule, and it is the documented one', () => {
    const SCHEMES: Record<string, string[]> = {
      user: ['apiKey', 'userId', 'bearer'],
      tenant: ['apiKey', 'bearer'],
      bearer: ['apiKey', 'bearer'],
      anyScope: ['apiKey', 'bearer'],
      tenantAdmin: ['apiKey'],
      tenantKey: ['apiKey'],
      tenantOrMaster: ['masterKey', 'apiKey'],
      anyCredential: ['masterKey', 'apiKey', 'bearer'],
      admin: ['masterKey', 'apiKey'],
      master: ['masterKey'],
    };
    const ruled = routes
      .filter(({ method, access }) => method !== 'HEAD' && access && access.access !== 'public')
      .map(({ method, url, access }) => ({
        route: `${method} ${url.replace(/:(\w+)/g, '{$1}')}`,
        schemes: SCHEMES[access?.access ?? ''],
      }));
    const documented = documentedRoutes()
      .filter(({ schemes }) => schemes.length > 0)
      .map(({ method, path, schemes }) => ({ route: `${method} ${path}`, schemes }));
    const byRoute = (a: { route: string }, b: { route: string }): number => a.route.localeCompare(b.route);
    expect(ruled.length).toBeGreaterThan(20);
    expect(ruled.sort(byRoute)).toEqual(documented.sort(byRoute));
    const without = routes.filter(({ access, url }) => access === undefined && url !== '/without-a-rule');
    expect(without).toEqual([]);
  });

  it('HEAD has the rule of GET', () => {
    const rules = (method: string): string[] =>
      routes.filter((route) => route.method === method).map(({ url, access }) => `${url} ${access?.access ?? 'none'}`);
    const get = rules('GET');
    expect(rules('HEAD').filter((rule) => !get.includes(rule))).toEqual([]);
  });

  it('a route without a rule answers 401 to everybody', async () => {
    const fastify = nest.getHttpAdapter().getInstance();
    const outcomes = [];
    for (const method of ['GET', 'HEAD', 'POST'] as const)
      for (const headers of [{}, { 'x-master-key': MASTER_KEY }, { 'x-api-key': 'chatapi_x', 'x-user-id': 'alice' }]) {
        const response = await fastify.inject({ method, url: '/without-a-rule', headers });
        outcomes.push(response.statusCode);
        expect(response.body).not.toContain('leaked');
        if (method !== 'HEAD') expect(response.json()).toMatchObject({ error: { code: 'AUTHENTICATION_ERROR' } });
      }
    expect(outcomes).toEqual(Array(9).fill(401));
  });
});

import { dirname } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { ErrorCode } from '../../common/errors';
import { VERSION } from '../../common/version';
import type { RouteAccess } from '../auth';
import { Validator } from '../validation';
import { API_ERRORS, LIST_HEADERS, TAGGED } from './openapi/errors';
import { compileDtos, controllerMethods } from './routes';
import { envelopeRuleOf } from './answers';
import { completeDocument, type OperationFacts } from './openapi/complete';
import { installPageFiles, pageHtml } from './pages';

const FASTIFY_ROUTE_CONFIG = '__fastify_route_config__';
/** In the order in which a newcomer needs them. */
const TAGS: Readonly<Record<string, string>> = {
  Rooms: 'Direct messages, groups and channels.',
  Messages: 'Sending, reading, editing and deleting; the feed of changes.',
  Members: 'Who is in a room.',
  Delivery: 'How far I have got: acknowledged and read.',
  'AI chats': 'Chats with a model: the answers as a whole, or as server-sent events.',
  Conversations: 'The same chats for bots and scripts: one call, one answer.',
  Models: 'Ways to a model, and how assistants behave.',
  Tokens: 'Credentials for browsers, apps and sockets.',
  Admin: "The operator's side: tenants and their keys.",
  Health: 'For orchestrators and monitoring.',
};
/** How callers prove who they are; `x-title` is what the page calls them. */
const SCHEMES: Readonly<Record<string, Parameters<DocumentBuilder['addSecurity']>[1]>> = {
  apiKey: {
    'x-title': "A tenant's API key",
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description:
      "`chatapi_…`, for your back end. It acts for the whole tenant; what a user does needs `X-User-Id` beside it. Keys with the scope `admin` may also manage the tenant. The first start prints the demo tenant's key.",
  },
  userId: {
    'x-title': 'The user that you act as',
    type: 'apiKey',
    in: 'header',
    name: 'X-User-Id',
    description:
      'Any id of yours, such as `alice`: 1 to 128 printable ASCII characters. No secret; it goes together with an API key. A user is made when its id is first used.',
  },
  masterKey: {
    'x-title': "The operator's master key",
    type: 'apiKey',
    in: 'header',
    name: 'X-Master-Key',
    description: 'Manages all tenants under `/admin`. It is `MASTER_API_KEY`, or in `DATA_DIR/secrets/master-key`.',
  },
  bearer: {
    'x-title': 'A user token',
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'From `POST /tokens`, for browsers and apps. It acts as one user, instead of an API key and `X-User-Id`.',
  },
};
const DESCRIPTION = `Rooms, messages, delivery and AI chats of ChatAPI, a self-hosted, multi-tenant chat server.

Press **Authorize**, paste an API key and, as the user that you act as, \`alice\`: then every example below works as it stands. What you paste is kept until this tab is closed. Errors have one shape on all routes; \`error.code\` is for programs, \`error.message\` for people. Fields of a body and parameters of a query that are not documented are refused by name (400); query parameters whose names begin with \`_\` or \`utm_\` are ignored.

The socket \`/ws\` has a page of its own: [/docs/ws](/docs/ws).`;

/** What of Swagger UI's package is served: it holds more, examples of pages among them. */
const SWAGGER_FILES = new Set(['/swagger-ui.css', '/swagger-ui-bundle.js', '/favicon-32x32.png']);
const SWAGGER_PAGE = pageHtml({
  path: '/docs',
  title: 'ChatAPI: REST',
  styles: ['/docs/swagger/swagger-ui.css', '/docs/assets/swagger.css'],
  scripts: ['/docs/swagger/swagger-ui-bundle.js'],
  module: '/docs/assets/swagger.js',
  document: '/docs-json',
  body: '<main id="swagger-ui"></main>',
});

/** The OpenAPI document of the running code. Complete only in a build: the Swagger plugin works in the compiler. */
export function buildDocument(
  app: NestFastifyApplication,
  pathExamples: Readonly<Record<string, string>>,
): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('ChatAPI')
    .setDescription(DESCRIPTION)
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/');
  for (const [name, scheme] of Object.entries(SCHEMES)) builder.addSecurity(name, scheme);
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
  const config = builder.build();
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory: operationId });
  return completeDocument(document, compileDtos(app, app.get(Validator)), operationFacts(app), pathExamples);
}

/** Serves Swagger UI at /docs and the document at /docs-json, /docs-yaml and /openapi.json; all files are local. */
export async function installSwagger(
  app: NestFastifyApplication,
  pathExamples: Readonly<Record<string, string>>,
): Promise<void> {
  let document: OpenAPIObject | undefined;
  const openapi = (): OpenAPIObject => (document ??= buildDocument(app, pathExamples));
  SwaggerModule.setup('docs', app, openapi, {
    ui: false,
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
  });
  const fastify = app.getHttpAdapter().getInstance();
  await fastify.register(fastifyStatic, {
    root: dirname(require.resolve('swagger-ui-dist/package.json')),
    prefix: '/docs/swagger/',
    decorateReply: false,
    allowedPath: (path) => SWAGGER_FILES.has(path),
  });
  await installPageFiles(fastify);
  fastify.get('/openapi.json', openapi);
  fastify.get('/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(SWAGGER_PAGE));
}

function operationId(controller: string, method: string): string {
  return `${controller.replace(/Controller$/, '')}_${method}`;
}

function operationFacts(app: NestFastifyApplication): ReadonlyMap<string, OperationFacts> {
  const facts = new Map<string, OperationFacts>();
  for (const { controller, method, handler } of controllerMethods(app)) {
    const config = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG, handler) as { access?: RouteAccess } | undefined;
    if (!config?.access) continue;
    facts.set(operationId(controller, method), {
      access: config.access,
      errors: (Reflect.getMetadata(API_ERRORS, handler) ?? []) as ErrorCode[],
      envelope: envelopeRuleOf(config.access),
      listHeaders: (Reflect.getMetadata(LIST_HEADERS, handler) as string[] | undefined) ?? [],
      isTagged: Reflect.getMetadata(TAGGED, handler) === true,
    });
  }
  return facts;
}

import type { FastifyHelmetOptions } from '@fastify/helmet';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import type { ErrorCode } from '../../common/errors';
import type { RouteAccess } from '../auth';
import { Validator } from '../validation';
import { API_ERRORS, LIST_HEADERS } from './api-errors';
import { compileDtos } from './compile-dtos';
import { envelopeRuleOf } from './envelope';
import { controllerMethods } from './controllers';
import { completeDocument, type OperationFacts } from './openapi/complete';

const FASTIFY_ROUTE_CONFIG = '__fastify_route_config__';
/** Swagger UI writes styles and one script into its page; nothing comes from elsewhere. HTTPS is the proxy's business. */
const PAGE_HEADERS: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'", "'unsafe-inline'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      upgradeInsecureRequests: null,
    },
  },
  strictTransportSecurity: false,
};

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
const DESCRIPTION = `Rooms, messages, delivery and AI chats of ChatAPI, a self-hosted, multi-tenant chat server.

Press **Authorize**, paste an API key into \`apiKey\` and a user id such as \`alice\` into \`userId\`: then every example below works as it stands. Errors have one shape on all routes; \`error.code\` is for programs, \`error.message\` for people. Fields of a body and parameters of a query that are not documented are refused by name (400); query parameters whose names begin with \`_\` or \`utm_\` are ignored.

The socket \`/ws\` has a page of its own: [/docs/ws](/docs/ws).`;

/** The OpenAPI document of the running code. Complete only in a build: the Swagger plugin works in the compiler. */
export function buildDocument(
  app: NestFastifyApplication,
  pathExamples: Readonly<Record<string, string>>,
): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setTitle('ChatAPI')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key', description: "The tenant's API key." }, 'apiKey')
    .addApiKey(
      { type: 'apiKey', in: 'header', name: 'X-User-Id', description: 'The user that the call acts as.' },
      'userId',
    )
    .addApiKey({ type: 'apiKey', in: 'header', name: 'X-Master-Key', description: "The operator's key." }, 'masterKey')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A user token from POST /tokens.' },
      'bearer',
    );
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
  const config = builder.build();
  const document = SwaggerModule.createDocument(app, config, { operationIdFactory: operationId });
  return completeDocument(document, compileDtos(app, app.get(Validator)), operationFacts(app), pathExamples);
}

/** Serves Swagger UI at /docs and the document at /docs-json; assets are local, credentials survive a reload. */
export function installSwagger(app: NestFastifyApplication, pathExamples: Readonly<Record<string, string>>): void {
  SwaggerModule.setup('docs', app, () => buildDocument(app, pathExamples), {
    jsonDocumentUrl: 'docs-json',
    yamlDocumentUrl: 'docs-yaml',
    customSiteTitle: 'ChatAPI',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
  });
}

/** The documents need no credential; everything else has to say so itself. Call before any route is made. */
export function openDocs(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (!/^\/(docs(\/|-json|-yaml|$)|asyncapi\.json$)/.test(route.url)) return;
    const access: RouteAccess = {
      access: 'public',
      secretAnswer: false,
      controller: Object,
      handler: Object,
    };
    route.config = { ...route.config, access };
    // A page with needs of its own says so itself.
    route.helmet ??= PAGE_HEADERS;
  });
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
    });
  }
  return facts;
}

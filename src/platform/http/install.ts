import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalid } from '../../common/errors';
import { canonicalJson } from '../../common/text';
import { originMatchers } from '../../common/urls';
import { HttpConfig, RuntimeConfig } from '../../config';
import { checkAudited } from '../audit';
import { ApiKeyGuard } from '../auth';
import { Lifecycle } from '../lifecycle';
import { Log } from '../logging';
import { Metrics } from '../metrics';
import { FailedCredentials, TenantThrottlerGuard } from '../rate-limit';
import { CompiledValidationPipe, MAX_SENT_JSON_BYTES, Validator } from '../validation';
import { AllErrorsFilter, ErrorSender, JsonText, wrapped } from './answers';
import { AuditProof } from './audit-proof';
import { Gate } from './gate';
import { installHangUps } from './hang-up';
import { codedTransfer, installJsonBody, isCodedTransfer } from './json-body';
import { openPages } from './pages';
import { compileDtos, controllerMethods, QueryNames, RouteTable } from './routes';

const EXPOSED = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Retry-After',
  'X-Request-Id',
  'X-Total-Count',
  'X-First-Seq',
  'X-Has-Older',
  'X-Has-Newer',
  'ETag',
  'Idempotent-Replayed',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/**
 * Installs everything that an answer passes through; call once, before `app.init()`.
 * @param sockets paths that take WebSockets and nothing else
 */
export async function installHttp(app: NestFastifyApplication, sockets: readonly string[]): Promise<void> {
  const fastify = app.getHttpAdapter().getInstance();
  const errors = new ErrorSender(app.get(Log), app.get(Metrics));
  const validator = app.get(Validator);
  compileDtos(app, validator);
  checkAudited(controllerMethods(app));
  app.useGlobalPipes(new CompiledValidationPipe(validator));
  app.useGlobalFilters(new AllErrorsFilter(errors));
  installJsonBody(fastify, MAX_SENT_JSON_BYTES);
  const routes = app.get(RouteTable);
  routes.watch(fastify, sockets);
  new AuditProof(app.get(Log), app.get(Metrics), app.get(RuntimeConfig).nodeEnv === 'test').watch(fastify);
  fastify.setErrorHandler((error, request, reply) => errors.send(request, reply, error));
  fastify.setNotFoundHandler((request, reply) => errors.send(request, reply, routes.miss(request, reply)));
  // Before helmet: its own hook reads what this one writes.
  openPages(fastify);
  // Pages ask for it per route (swagger.ts); on JSON its dozen headers say nothing and cost a tenth of a request.
  await fastify.register(helmet, { global: false });
  installHooks(fastify, app);
  installHangUps(fastify, app.get(Lifecycle));
  await installCors(fastify, app.get(HttpConfig));
  installGate(fastify, app);
}

function installHooks(fastify: FastifyInstance, app: NestFastifyApplication): void {
  const log = app.get(Log);
  const metrics = app.get(Metrics);
  // Without a listener Node answers 417 itself, in no shape of ours.
  fastify.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    delete request.headers.expect;
    fastify.server.emit('request', request, response);
  });
  // Without a listener Node says "go on" by itself, before the gate: the body parser says it.
  fastify.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    fastify.server.emit('request', request, response);
  });
  fastify.decorateRequest('identity', undefined);
  fastify.decorateRequest('caller', undefined);
  fastify.decorateRequest('rateWindow', undefined);
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    reply.header('X-Content-Type-Options', 'nosniff');
    const { headers, raw } = request;
    if (headers.host === undefined && raw.httpVersion === '1.1') done(invalid('Host', 'The Host header is required'));
    else if (isCodedTransfer(headers['transfer-encoding'])) done(codedTransfer());
    else done();
  });
  fastify.addHook('preHandler', (request, _reply, done) => {
    bindIdempotencyKey(request);
    done();
  });
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    if (request.caller?.replayed) reply.header('Idempotent-Replayed', 'true');
    if (payload instanceof JsonText) reply.serializer(textOf);
    done(null, wrapped(request, payload));
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
    metrics.request(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    log.debug(
      {
        request_id: request.id,
        method: request.method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'request',
    );
    done();
  });
}

function textOf(payload: unknown): string {
  return (payload as JsonText).text;
}

async function installCors(fastify: FastifyInstance, config: HttpConfig): Promise<void> {
  const all = config.corsOrigins.includes('*');
  await fastify.register(cors, {
    origin: all ? '*' : originMatchers(config.corsOrigins),
    methods: METHODS,
    exposedHeaders: EXPOSED,
    credentials: false,
    maxAge: 86_400,
    strictPreflight: false,
  });
}

function installGate(fastify: FastifyInstance, app: NestFastifyApplication): void {
  const gate = new Gate(
    app.get(ApiKeyGuard),
    app.get(TenantThrottlerGuard, { strict: false }),
    app.get(FailedCredentials, { strict: false }),
    app.get(Lifecycle),
    app.get(Metrics),
    new QueryNames(app, app.get(Validator)),
  );
  fastify.addHook('onRequest', gate.hook);
}

const MAX_KEY = 255;

/**
 * Reads the Idempotency-Key of a POST and binds it to the caller; runs after the body is parsed. Where the answer
 * holds a secret the key is checked and otherwise ignored: nothing is remembered.
 */
function bindIdempotencyKey(request: FastifyRequest): void {
  const header = request.headers['idempotency-key'];
  const { caller } = request;
  const access = request.routeOptions.config.access;
  if (header === undefined || request.method !== 'POST' || !caller || !access) return;
  const key = Array.isArray(header) ? header.join(',') : header;
  if (key.length === 0 || key.length > MAX_KEY || !/^[\x20-\x7e]+$/.test(key))
    throw invalid('Idempotency-Key', `Idempotency-Key must be 1-${MAX_KEY} printable ASCII characters`);
  if (access.secretAnswer) return;
  const path = (request.url.split('?', 1)[0] ?? '').replace(/\/+$/, '');
  caller.idempotency = {
    key,
    route: `${request.method} ${path}`,
    fingerprint: createHash('sha256')
      .update(canonicalJson(request.body ?? null))
      .digest(),
  };
}

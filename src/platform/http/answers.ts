/** How answers are shaped: successes in their envelope, errors from the catalogue. */
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, SetMetadata } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  AppError,
  type ErrorBody,
  errorBody,
  type ErrorCode,
  internalError,
  type OpenAiErrorBody,
  openAiErrorBody,
} from '../../common/errors';
import { type RouteAccess, settingOf } from '../auth';
import { describeError, type Log } from '../logging';
import type { Metrics } from '../metrics';

const ENVELOPED = Symbol('always or never enveloped');

/** How a route's successes are shaped whatever the caller asks for; `asked`: as the caller asks. */
export type EnvelopeRule = 'always' | 'never' | 'asked';

/** Successes of the controller, or of one route, are `{success,data}`, whatever the caller asks for. */
export function AlwaysEnveloped(): ClassDecorator & MethodDecorator {
  return SetMetadata(ENVELOPED, 'always' satisfies EnvelopeRule);
}

/** Successes of one route are what it returns, whatever the caller asks for and the controller says. */
export function NeverEnveloped(): MethodDecorator {
  return SetMetadata(ENVELOPED, 'never' satisfies EnvelopeRule);
}

/** What the decorators of a route say; those of the method win. */
export function envelopeRuleOf({ handler, controller }: Pick<RouteAccess, 'handler' | 'controller'>): EnvelopeRule {
  const rule: unknown = Reflect.getMetadata(ENVELOPED, handler) ?? Reflect.getMetadata(ENVELOPED, controller);
  return (rule ?? 'asked') as EnvelopeRule;
}

/** Asking the metadata on every request would cost more than the envelope. */
const rules = new WeakMap<object, EnvelopeRule>();

/** A success that is JSON text already: it leaves as it is, or with its envelope written around it. */
export class JsonText {
  constructor(readonly text: string) {}
}

/** What stands around a success: nothing, `{success,data}`, or `{success,data,error}` where the caller asked for it. */
export type Format = 'bare' | 'data' | 'envelope';

/** The format in which a request's success leaves. */
export function formatOf(request: FastifyRequest): Format {
  const route = request.routeOptions.config.access;
  if (route === undefined) return 'bare';
  let rule = rules.get(route);
  if (rule === undefined) rules.set(route, (rule = envelopeRuleOf(route)));
  if (rule === 'never') return 'bare';
  if (wantsEnvelope(request)) return 'envelope';
  return rule === 'always' && request.caller !== undefined ? 'data' : 'bare';
}

/** A success as it leaves, in its format. */
export function wrapped(request: FastifyRequest, payload: unknown): unknown {
  const format = formatOf(request);
  if (format === 'bare') return payload;
  if (payload instanceof JsonText)
    return new JsonText(`{"success":true,"data":${payload.text}${format === 'envelope' ? ',"error":null' : ''}}`);
  return format === 'envelope' ? { success: true, data: payload, error: null } : { success: true, data: payload };
}

/** The header decides, else the tenant's setting. */
function wantsEnvelope(request: FastifyRequest): boolean {
  const { caller } = request;
  if (!caller) return false;
  const header = request.headers['x-response-format'];
  if (header === 'envelope') return true;
  return header !== 'bare' && settingOf(caller.tenant, 'response_format') === 'envelope';
}

/** What Fastify's own refusals are in the catalogue. */
const FASTIFY_CODES: Readonly<Record<string, [ErrorCode, string]>> = {
  FST_ERR_BAD_URL: ['VALIDATION_ERROR', 'The URL is malformed'],
  FST_ERR_MAX_LIMIT_LENGTH: ['VALIDATION_ERROR', 'The URL is too long'],
};

const HTTP_CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'VALIDATION_ERROR',
  401: 'AUTHENTICATION_ERROR',
  403: 'AUTHORIZATION_ERROR',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  413: 'PAYLOAD_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  429: 'RATE_LIMIT_EXCEEDED',
  503: 'SERVICE_UNAVAILABLE',
};

/** Turns whatever was thrown into a row of the catalogue. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof HttpException) return fromStatus(thrown.getStatus(), thrown.message, thrown);
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    const known = FASTIFY_CODES[thrown.code];
    if (known) return new AppError(known[0], known[1], { cause: thrown });
    const status = 'statusCode' in thrown ? thrown.statusCode : undefined;
    if (thrown.code.startsWith('FST_') && typeof status === 'number' && status < 500)
      return fromStatus(status, 'The request is malformed', thrown);
  }
  return internalError(thrown);
}

function fromStatus(status: number, message: string, cause: unknown): AppError {
  const code = HTTP_CODES[status];
  if (code !== undefined) return new AppError(code, message, { cause });
  return status < 500 ? new AppError('VALIDATION_ERROR', message, { cause }) : internalError(cause);
}

const OPENAI_ROUTES = /^\/v1(?=[/?]|$)/;

/** An error as its route's clients read it: on `/v1/*`, known routes or not, those of OpenAI's API. */
export function errorBodyFor(
  { url, id }: Pick<FastifyRequest, 'url' | 'id'>,
  error: AppError,
): ErrorBody | OpenAiErrorBody {
  return OPENAI_ROUTES.test(url) ? openAiErrorBody(error) : errorBody(error, id);
}

/** Answers with an error in the contract's shape; logs what is a fault of ours. */
export class ErrorSender {
  constructor(
    private readonly log: Log,
    private readonly metrics: Metrics,
  ) {}

  send(request: FastifyRequest, reply: FastifyReply, thrown: unknown): void {
    const error = toAppError(thrown);
    if (error.code === 'INTERNAL_ERROR')
      this.log.error(
        { request_id: request.id, route: request.routeOptions.url, error: describeError(error.cause) },
        'request failed',
      );
    this.metrics.errors(error.code);
    if (reply.sent) return;
    if (error.retryAfterSeconds !== undefined) reply.header('Retry-After', error.retryAfterSeconds);
    if (error.headers) reply.headers(error.headers);
    reply.removeHeader('content-type');
    reply
      .status(error.status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(errorBodyFor(request, error)));
  }
}

/** Whatever a controller throws is answered from the catalogue. */
@Catch()
export class AllErrorsFilter implements ExceptionFilter {
  constructor(private readonly errors: ErrorSender) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.errors.send(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>(), thrown);
  }
}

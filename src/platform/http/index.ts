/**
 * HTTP: Fastify as Nest gets it, the gate that every request passes before its body is read, the error answers, the
 * envelope, idempotency keys and Swagger. Order of a request: request id → CORS → gate (credential, limit, rule) →
 * body → idempotency key → validation → controller.
 */
export { clientAddress, HttpAdapter, requestIdOf } from './adapter';
export { AlwaysEnveloped, NeverEnveloped } from './answers';
export { drainConnections } from './hang-up';
export { CurrentCaller } from './caller.decorator';
export { PageDto } from './dto/page.dto';
export { PageQueryDto, SuccessDto } from './dto/page-query.dto';
export { installHttp } from './install';
export { ApiErrors, WithTotal } from './api-errors';
export { SseAnswer } from './sse/sse-answer.decorator';
export { SseModule } from './sse/sse.module';
export { type SseEnd, SseStream } from './sse/sse-stream';
export { SseStreams } from './sse/sse-streams';
export { refuseUnknownParameters } from './query-names';
export { toAppError } from './to-app-error';
export { type Page, pageHtml } from './pages';
export { componentSchemas, type Schemas } from './openapi/components';
export { buildDocument, installSwagger } from './swagger';

/**
 * HTTP: Fastify as Nest gets it, the gate that every request passes before its body is read, the error answers, the
 * envelope, idempotency keys and Swagger. Order of a request: request id → CORS → gate (credential, limit, rule) →
 * body → idempotency key → validation → controller.
 */
export { clientAddress, HttpAdapter, requestIdOf } from './adapter';
export { AlwaysEnveloped, JsonText, NeverEnveloped, toAppError } from './answers';
export { type Fact, tagged } from './conditional';
export { drainConnections } from './hang-up';
export { forgetBody, type KeepOfBody, LargeBody, MAX_LARGE_BODY_BYTES, scalar } from './large-body';
export { CurrentCaller } from './gate';
export { CursorPageDto, CursorQueryDto, PageDto, PageQueryDto, SuccessDto } from './dto/page.dto';
export { installHttp } from './install';
export { ApiErrors, WithTag, WithTotal } from './openapi/errors';
export { BodyStream, MAX_STREAMED_BYTES, StreamedBody } from './streamed-body';
export { SseAnswer, SseModule, SseStreams } from './sse/sse-streams';
export { eventBytes, type LastWords, type SseEnd, SseStream } from './sse/sse-stream';
export { askedPage, type AskedPage, cursorOf, type ListPage, pageOf } from './list-cursor';
export { type FoundRoute, refuseUnknownParameters, RouteTable } from './routes';
export { type Page, pageHtml } from './pages';
export { componentSchemas, type Schemas } from './openapi/complete';
export { buildDocument, installSwagger } from './swagger';
export { hasPages, installWeb } from './web';

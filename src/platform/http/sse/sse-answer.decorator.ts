import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, getSchemaPath } from '@nestjs/swagger';

const HOW =
  'Server-sent events: each one `data:` line of JSON, with an `id:`; a comment every 15 s. A stream that ends without its last event was cut: join again with `Last-Event-ID`.';

/**
 * Documents a 200 of server-sent events.
 * @param example the stream as it goes over the wire
 * @param json the class of the answer over plain REST, where the route has both
 */
export function SseAnswer(example: string, json?: Type): MethodDecorator {
  const stream = { schema: { type: 'string', description: HOW, example } };
  const content = {
    ...(json === undefined ? {} : { 'application/json': { schema: { $ref: getSchemaPath(json) } } }),
    'text/event-stream': stream,
  };
  return applyDecorators(...(json === undefined ? [] : [ApiExtraModels(json)]), ApiOkResponse({ content }));
}

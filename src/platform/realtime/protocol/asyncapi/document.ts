import type { INestApplication } from '@nestjs/common';
import { componentSchemas, type Schemas } from '../../../http';
import type { DtoClass, ObjectSchema } from '../../../validation';
import { type Operation, SOCKET_PATH, SocketOperations } from '../operations';
import { MAX_REQUEST_ID } from '../read-frame';
import { serverFrames } from '../server-frame';
import { SECURITY_SCHEMES, SERVERS, UPGRADE } from './connection';
import { description } from './description';
import { closed, type JsonSchema, referredTo, toJsonSchema } from './json-schema';

/** An AsyncAPI document, as far as the code that serves it needs to know. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly channels: Readonly<Record<string, object>>;
  readonly operations: Readonly<Record<string, object>>;
  readonly components: Readonly<Record<'messages' | 'schemas' | 'securitySchemes', Record<string, object>>>;
  readonly [part: string]: unknown;
}

interface Message {
  readonly name: string;
  readonly summary: string;
  readonly dto: DtoClass;
  /** Carries a request_id: what clients send, and the replies to it. */
  readonly hasRequestId: boolean;
}

const CHANNEL = { $ref: '#/channels/socket' };
const REQUEST_ID: JsonSchema = {
  type: 'string',
  maxLength: MAX_REQUEST_ID,
  description: "Your id of the frame; the reply's is the same.",
};

/** The AsyncAPI document of the running code, from the operations and server frames that it has. */
export function buildSocketDocument(app: INestApplication): AsyncApiDocument {
  const operations = [...app.get(SocketOperations, { strict: false }).byName().values()];
  const messages = messagesOf(operations);
  const schemas = componentSchemas(
    app,
    messages.map(({ dto }) => dto),
    new Map(operations.map(({ dto, schema }): [string, ObjectSchema] => [dto.name, schema])),
  );
  const rendered = Object.fromEntries(messages.map((message) => [message.name, render(message, schemas)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'ChatAPI socket',
      version: '1',
      description: description(),
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    servers: SERVERS,
    channels: {
      socket: {
        address: SOCKET_PATH,
        title: SOCKET_PATH,
        description: 'One connection of one user.',
        messages: Object.fromEntries(messages.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: { ws: UPGRADE },
      },
    },
    operations: Object.fromEntries([
      ...operations.map((operation) => [operation.name, received(operation)] as const),
      ...serverFrames().map(({ name, summary }) => [name, sent(name, summary)] as const),
    ]),
    components: { messages: rendered, schemas: nestedSchemas(rendered, schemas), securitySchemes: SECURITY_SCHEMES },
  };
}

function messagesOf(operations: readonly Operation[]): Message[] {
  const messages = operations.flatMap(({ name, summary, dto, replies }): Message[] => [
    { name, summary, dto, hasRequestId: true },
    ...(replies ? [{ ...replies, summary: `The reply to ${name}.`, hasRequestId: true }] : []),
  ]);
  const own = serverFrames().map((frame): Message => ({ ...frame, hasRequestId: false }));
  const all = [...messages, ...own];
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) !== i);
  if (twice) throw new Error(`Two frames are called ${twice.name}`);
  return all;
}

/** The server receives it, and answers. */
function received({ name, summary, replies, errors = [] }: Operation): object {
  const answers = [...(replies ? [replies.name] : []), 'error'].map(inChannel);
  const told = errors.length === 0 ? '' : ` Errors beside those of every frame: ${errors.join(', ')}.`;
  return {
    action: 'receive',
    channel: CHANNEL,
    title: name,
    summary,
    description: `You send it.${told}`,
    messages: [inChannel(name)],
    reply: { channel: CHANNEL, messages: answers },
  };
}

function sent(name: string, summary: string): object {
  return { action: 'send', channel: CHANNEL, title: name, summary, messages: [inChannel(name)] };
}

function inChannel(name: string): { $ref: string } {
  return { $ref: `#/channels/socket/messages/${name}` };
}

function render({ name, summary, dto, hasRequestId }: Message, schemas: Schemas): object {
  const fields = toJsonSchema(schemas[dto.name] ?? {}) as {
    readonly properties?: Record<string, JsonSchema>;
    readonly required?: readonly string[];
  };
  if (fields.properties && 'type' in fields.properties)
    throw new Error(`The fields of ${name} hold a type of their own`);
  const required = ['type', ...(fields.required ?? [])];
  const payload = {
    type: 'object',
    additionalProperties: false,
    required,
    properties: {
      type: { type: 'string', const: name },
      ...fields.properties,
      ...(hasRequestId ? { request_id: REQUEST_ID } : {}),
    },
  };
  return { name, title: name, summary, payload, ...exampleOf(name, required, fields.properties ?? {}) };
}

/** An example from those of the fields, where every required field has one. */
function exampleOf(name: string, required: readonly string[], properties: Record<string, JsonSchema>): object {
  const shown = Object.entries(properties).flatMap(([field, { examples }]) =>
    Array.isArray(examples) ? [[field, examples[0]] as const] : [],
  );
  const payload: Record<string, unknown> = { type: name, ...Object.fromEntries(shown) };
  return required.every((field) => field in payload) ? { examples: [{ payload }] } : {};
}

/** The components that the messages refer to, and those that these refer to. */
function nestedSchemas(messages: object, schemas: Schemas): Record<string, object> {
  const found: Record<string, object> = {};
  const open = referredTo(Object.values(messages).map(({ payload }: { payload?: unknown }) => payload));
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found[name]) continue;
    const schema = closed(toJsonSchema(schemas[name] ?? {}) as JsonSchema);
    found[name] = schema;
    open.push(...referredTo(schema));
  }
  return found;
}

import type { INestApplication } from '@nestjs/common';
import { VERSION } from '../../../common/version';
import { componentSchemas, type Schemas } from '../../../platform/http';
import type { DtoClass } from '../../../platform/validation';
import { SOCKET_PATH, type SocketEndpoint, SocketEndpoints } from '../../transport';
import { type Operation, serverFrames, SocketOperations } from '../operations';
import { MAX_REQUEST_ID } from '../read-frame';
import { description, SECURITY_SCHEMES, SERVERS, upgradeBinding } from './connection';

/** A JSON schema (draft 7), as AsyncAPI takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const NULL = { type: 'null' };

/** Turns a schema of OpenAPI 3.0 into JSON schema: `nullable` and `example` exist there only. */
export function toJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, example, ...rest } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, key === 'example' ? (value as unknown) : toJsonSchema(value)]),
  );
  const shown = example === undefined ? rest : { ...rest, examples: [example] };
  return nullable === true ? orNull(shown) : shown;
}

/** An object that lists its fields has no others. */
export function closed(schema: JsonSchema): JsonSchema {
  const isList = schema['properties'] !== undefined && schema['additionalProperties'] === undefined;
  return isList ? { ...schema, additionalProperties: false } : schema;
}

/** Names of the components that a schema refers to, at any depth. */
export function referredTo(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value.split('/').at(-1) ?? ''] : referredTo(value),
  );
}

function orNull(schema: Record<string, unknown>): unknown {
  const { type, description, ...rest } = schema;
  if (typeof type === 'string' && !('allOf' in rest) && !('oneOf' in rest)) {
    const values = Array.isArray(rest['enum']) ? { enum: [...(rest['enum'] as unknown[]), null] } : {};
    return { ...schema, type: [type, 'null'], ...values };
  }
  return { ...(description === undefined ? {} : { description }), oneOf: [rest, NULL] };
}

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
  /** `reply`: the server's, with the request id of what it answers. */
  readonly from: 'client' | 'reply' | 'server';
}

/** An endpoint with its messages, keyed by their names among the components: those of `/ws` are the frames' own. */
interface Channel {
  readonly endpoint: SocketEndpoint;
  readonly operations: readonly Operation[];
  readonly messages: readonly Message[];
}

const REQUEST_ID: JsonSchema = {
  type: 'string',
  maxLength: MAX_REQUEST_ID,
  description: "Your id of the frame; the reply's is the same.",
};

/** The AsyncAPI document of the running code, from the endpoints, operations and server frames that it has. */
export function buildSocketDocument(app: INestApplication): AsyncApiDocument {
  const endpoints = app.get(SocketEndpoints, { strict: false }).all();
  const table = app.get(SocketOperations, { strict: false });
  const channels = endpoints.map((endpoint): Channel => {
    const operations = [...table.of(endpoint.path).values()];
    return { endpoint, operations, messages: messagesOf(endpoint, operations) };
  });
  const schemas = componentSchemas(
    app,
    channels.flatMap(({ messages }) => messages.map(({ dto }) => dto)),
    new Map(channels.flatMap(({ operations }) => operations.map(({ dto, schema }) => [dto.name, schema] as const))),
  );
  const rendered = Object.fromEntries(
    channels.flatMap(({ endpoint, messages }) =>
      messages.map((message) => [keyOf(endpoint, message.name), render(endpoint, message, schemas)] as const),
    ),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'ChatAPI sockets',
      version: VERSION,
      description: description(endpoints),
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    defaultContentType: 'application/json',
    servers: SERVERS,
    channels: Object.fromEntries(channels.map((channel) => [channel.endpoint.document.channel, described(channel)])),
    operations: Object.fromEntries(channels.flatMap(operationsOf)),
    components: { messages: rendered, schemas: nestedSchemas(rendered, schemas), securitySchemes: SECURITY_SCHEMES },
  };
}

/** The first endpoint's frames have their own names; those of the others could be called the same. */
function keyOf({ path, document }: SocketEndpoint, name: string): string {
  return path === SOCKET_PATH ? name : `${document.channel}.${name}`;
}

function described({ endpoint, messages }: Channel): object {
  return {
    address: endpoint.path,
    title: endpoint.path,
    description: 'One connection of one user.',
    messages: Object.fromEntries(
      messages.map(({ name }) => [name, { $ref: `#/components/messages/${keyOf(endpoint, name)}` }]),
    ),
    bindings: { ws: upgradeBinding(endpoint) },
  };
}

function operationsOf({ endpoint, operations }: Channel): (readonly [string, object])[] {
  return [
    ...operations.map((operation) => [keyOf(endpoint, operation.name), received(endpoint, operation)] as const),
    ...serverFrames(endpoint.path).map(
      ({ name, summary }) => [keyOf(endpoint, name), sent(endpoint, name, summary)] as const,
    ),
  ];
}

function messagesOf({ path }: SocketEndpoint, operations: readonly Operation[]): Message[] {
  const messages = operations.flatMap(({ name, summary, dto, replies }): Message[] => [
    { name, summary, dto, from: 'client' },
    ...(replies ? [{ ...replies, summary: `The reply to ${name}.`, from: 'reply' as const }] : []),
  ]);
  const own = serverFrames(path).map((frame): Message => ({ ...frame, from: 'server' }));
  const all = [...messages, ...own];
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) !== i);
  if (twice) throw new Error(`Two frames of ${path} are called ${twice.name}`);
  return all;
}

/** The server receives it, and answers. */
function received(endpoint: SocketEndpoint, { name, summary, replies, errors = [] }: Operation): object {
  const answers = [...(replies ? [replies.name] : []), 'error'].map((answer) => inChannel(endpoint, answer));
  const told = errors.length === 0 ? '' : ` Errors beside those of every frame: ${errors.join(', ')}.`;
  return {
    action: 'receive',
    channel: channelOf(endpoint),
    title: name,
    summary,
    description: `You send it.${told}`,
    messages: [inChannel(endpoint, name)],
    reply: { channel: channelOf(endpoint), messages: answers },
  };
}

function sent(endpoint: SocketEndpoint, name: string, summary: string): object {
  return { action: 'send', channel: channelOf(endpoint), title: name, summary, messages: [inChannel(endpoint, name)] };
}

function channelOf({ document }: SocketEndpoint): { $ref: string } {
  return { $ref: `#/channels/${document.channel}` };
}

function inChannel({ document }: SocketEndpoint, name: string): { $ref: string } {
  return { $ref: `#/channels/${document.channel}/messages/${name}` };
}

function render(endpoint: SocketEndpoint, { name, summary, dto, from }: Message, schemas: Schemas): object {
  const fields = toJsonSchema(schemas[dto.name] ?? {}) as {
    readonly properties?: Record<string, JsonSchema>;
    readonly required?: readonly string[];
  };
  const { typeField, everyFrame } = endpoint.document;
  const type = from === 'client' ? 'type' : typeField;
  const common = (from === 'client' ? {} : everyFrame) as Record<string, JsonSchema>;
  if (fields.properties && type in fields.properties) throw new Error(`The fields of ${name} hold a type of their own`);
  const isDefault = from === 'client' && name === endpoint.defaultFrame;
  const required = [...(isDefault ? [] : [type]), ...Object.keys(common), ...(fields.required ?? [])];
  const properties = { ...common, ...fields.properties };
  const payload = {
    type: 'object',
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
    properties: {
      [type]: { type: 'string', const: name },
      ...properties,
      ...(from === 'server' ? {} : { request_id: REQUEST_ID }),
    },
  };
  const head = isDefault ? {} : { [type]: name };
  return { name, title: name, summary, payload, ...exampleOf(head, required, properties) };
}

/** An example from those of the fields, where every required field has one. */
function exampleOf(
  head: Readonly<Record<string, string>>,
  required: readonly string[],
  properties: Record<string, JsonSchema>,
): object {
  const shown = Object.entries(properties).flatMap(([field, { examples }]) =>
    Array.isArray(examples) ? [[field, examples[0]] as const] : [],
  );
  const payload: Record<string, unknown> = { ...head, ...Object.fromEntries(shown) };
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

import { Injectable, type OnModuleInit, SetMetadata } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import type { ErrorCode } from '../../common/errors';
import type { Caller } from '../../platform/auth';
import { Explorer } from '../../platform/discovery';
import { type DtoClass, type ObjectSchema, Validator } from '../../platform/validation';
import { type AcceptedConnection, SOCKET_PATH, type SocketEndpoint, SocketEndpoints } from '../transport';

/** What an operation learns beside the frame's fields. */
export interface FrameContext {
  readonly connection: AcceptedConnection;
  /** Of this frame alone: its request id, and what a service sets on it (e.g. `replayed`). */
  readonly caller: Caller;
  /** As the client gave it: frames that answer later than the operation returns carry it. */
  readonly requestId: string | undefined;
}

/** Which limit a frame counts against: `message` the tenant's ws_messages_per_second, `other` 100 a second. */
export type FrameFamily = 'message' | 'other';

interface SocketOperationOptions<D extends object, R> {
  /** The frame's `type`, one of those that the gateway's endpoint lists. */
  readonly name: string;
  /** The frame's fields, beside `type` and `request_id`. */
  readonly dto: new () => D;
  /** Default other. */
  readonly family?: FrameFamily;
  /** The reply's type, and its fields beside that and `request_id`. Without it the sender gets no reply. */
  readonly replies?: { readonly name: string; readonly dto: new () => R };
  /** Starts only when the sends that the connection made before into the same rooms are done. Default false. */
  readonly waitsForSends?: boolean;
  /** One sentence for the documents. */
  readonly summary: string;
  /** Errors beyond validation, rate, unavailability and faults of the server. */
  readonly errors?: readonly ErrorCode[];
}

/** The options as the registry keeps them. */
type FrameFacts = Readonly<
  Omit<SocketOperationOptions<object, unknown>, 'dto' | 'replies'> & {
    dto: DtoClass;
    replies?: { readonly name: string; readonly dto: DtoClass };
  }
>;

export const SOCKET_OPERATION = Symbol('socket operation');

/**
 * Makes a method of a gateway the operation of one client frame: the only registration that a frame has. The method
 * gets the frame's validated fields and returns the reply's, now or later; what it throws becomes an error frame.
 */
export function SocketOperation<D extends object, R = void>(
  options: SocketOperationOptions<D, R>,
): <H extends (context: FrameContext, frame: D) => R | Promise<R>>(
  target: object,
  property: string | symbol,
  descriptor: TypedPropertyDescriptor<H>,
) => void {
  return (target, property, descriptor) => {
    SubscribeMessage(options.name)(target, property, descriptor);
    SetMetadata(SOCKET_OPERATION, options)(target, property, descriptor);
  };
}

/** A frame that the server sends by itself; replies are documented with their operation. */
interface ServerFrameFacts {
  /** The path of its endpoint. */
  readonly path: string;
  /** The frame's type. */
  readonly name: string;
  /** One sentence for the documents: when it is sent. */
  readonly summary: string;
  /** The fields beside its type and those that every frame of the endpoint has. */
  readonly dto: DtoClass;
}

const declared = new Map<string, ServerFrameFacts>();

/** Declares a class as the fields of a frame that the server sends; AsyncAPI lists it. */
export function ServerFrame(name: string, summary: string, path = SOCKET_PATH): (dto: DtoClass) => void {
  return (dto) => {
    const key = `${path} ${name}`;
    const other = declared.get(key);
    if (other && other.dto !== dto) throw new Error(`Two classes describe the server frame ${key}`);
    declared.set(key, { path, name, summary, dto });
  };
}

/** All declared frames of an endpoint, by name. */
export function serverFrames(path: string): readonly ServerFrameFacts[] {
  const here = [...declared.values()].filter((frame) => frame.path === path);
  return here.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What `@WebSocketGateway` writes down. */
const GATEWAY_OPTIONS = 'websockets:gateway_options';

type Handler = (context: FrameContext, frame: object) => unknown;

/** A client frame and what handles it. */
export interface Operation extends FrameFacts {
  readonly schema: ObjectSchema;
  readonly call: Handler;
}

interface Declared {
  readonly operation: Operation;
  /** Where its gateway listens; undefined: it is none. */
  readonly path: string | undefined;
  readonly gateway: string;
}

/**
 * The operations of all gateways, found by their decorator. The server does not start with two of one name at an endpoint,
 * with one outside of a gateway at an endpoint, with one that the endpoint does not list, without one that it lists, or
 * with a DTO that cannot be compiled.
 */
@Injectable()
export class SocketOperations implements OnModuleInit {
  private tables: ReadonlyMap<string, ReadonlyMap<string, Operation>> | undefined;

  constructor(
    private readonly explorer: Explorer,
    private readonly validator: Validator,
    private readonly endpoints: SocketEndpoints,
  ) {}

  onModuleInit(): void {
    this.tables ??= this.collect();
  }

  /** The operations of an endpoint by the frame's name, in the order of the contract. */
  of(path: string): ReadonlyMap<string, Operation> {
    return (this.tables ??= this.collect()).get(path) ?? new Map();
  }

  private collect(): ReadonlyMap<string, ReadonlyMap<string, Operation>> {
    const declared = this.declared();
    const stray = declared.find(({ path }) => path === undefined || !this.endpoints.paths.includes(path));
    if (stray)
      throw new Error(
        `${stray.gateway} handles ${stray.operation.name}, but is no @WebSocketGateway({ path: '${SOCKET_PATH}' }), nor at any other endpoint`,
      );
    return new Map(
      this.endpoints.all().map((endpoint) => {
        const here = declared.filter(({ path }) => path === endpoint.path).map(({ operation }) => operation);
        return [endpoint.path, tableOf(endpoint, here)];
      }),
    );
  }

  private declared(): Declared[] {
    return this.explorer.methods<FrameFacts>(SOCKET_OPERATION).map(({ options, provider, name, call }) => ({
      operation: { ...options, schema: this.compile(options.dto, options.name), call },
      path: pathOf(provider),
      gateway: name,
    }));
  }

  private compile(dto: DtoClass, name: string): ObjectSchema {
    try {
      return this.validator.prepare(dto);
    } catch (cause) {
      throw new Error(`The frame ${name} cannot be validated: ${(cause as Error).message}`, { cause });
    }
  }
}

function pathOf(gateway: object): string | undefined {
  const options = Reflect.getMetadata(GATEWAY_OPTIONS, gateway.constructor) as { path?: string } | undefined;
  return options?.path;
}

function tableOf({ path, clientFrames }: SocketEndpoint, operations: readonly Operation[]): Map<string, Operation> {
  const found = new Map<string, Operation>();
  for (const operation of operations) {
    const { name } = operation;
    if (found.has(name)) throw new Error(`Two socket operations handle the frame ${name} at ${path}`);
    if (!clientFrames.includes(name)) throw new Error(`${path} takes no frame called ${name}`);
    found.set(name, operation);
  }
  const missing = clientFrames.filter((name) => !found.has(name));
  if (missing.length > 0) throw new Error(`No socket operation handles, at ${path}: ${missing.join(', ')}`);
  return new Map([...found].sort(([a], [b]) => clientFrames.indexOf(a) - clientFrames.indexOf(b)));
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Explorer } from '../../platform/discovery';
import { type DtoClass, type ObjectSchema, Validator } from '../../platform/validation';
import type { SocketDoor } from '../feed/ports';
import { SOCKET_PATH } from '../transport/paths';
import { SocketDoors } from '../transport';
import { type FrameContext, type FrameFacts, SOCKET_OPERATION } from './socket-operation';

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
 * The operations of all gateways, found by their decorator. The server does not start with two of one name at a door,
 * with one outside of a gateway at a door, with one that the door does not list, without one that it lists, or with a
 * DTO that cannot be compiled.
 */
@Injectable()
export class SocketOperations implements OnModuleInit {
  private tables: ReadonlyMap<string, ReadonlyMap<string, Operation>> | undefined;

  constructor(
    private readonly explorer: Explorer,
    private readonly validator: Validator,
    private readonly doors: SocketDoors,
  ) {}

  onModuleInit(): void {
    this.tables ??= this.collect();
  }

  /** Those of a door by the frame's name, in the order of the contract. */
  of(path: string): ReadonlyMap<string, Operation> {
    return (this.tables ??= this.collect()).get(path) ?? new Map();
  }

  private collect(): ReadonlyMap<string, ReadonlyMap<string, Operation>> {
    const declared = this.declared();
    const stray = declared.find(({ path }) => path === undefined || !this.doors.paths.includes(path));
    if (stray)
      throw new Error(
        `${stray.gateway} handles ${stray.operation.name}, but is no @WebSocketGateway({ path: '${SOCKET_PATH}' }), nor at any other door`,
      );
    return new Map(
      this.doors.all().map((door) => {
        const here = declared.filter(({ path }) => path === door.path).map(({ operation }) => operation);
        return [door.path, tableOf(door, here)];
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

function tableOf({ path, clientFrames }: SocketDoor, operations: readonly Operation[]): Map<string, Operation> {
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

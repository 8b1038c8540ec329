import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type DtoClass, type ObjectSchema, Validator } from '../../validation';
import { CLIENT_FRAMES } from './documented-frames';
import { type FrameContext, type OperationFacts, SOCKET_OPERATION } from './socket-operation';

/** Where the operations' gateways listen. */
export const SOCKET_PATH = '/ws';
/** What `@WebSocketGateway` writes down. */
const GATEWAY_OPTIONS = 'websockets:gateway_options';

type Handler = (context: FrameContext, frame: object) => unknown;

/** A client frame and what handles it. */
export interface Operation extends OperationFacts {
  readonly schema: ObjectSchema;
  readonly call: Handler;
}

/**
 * The operations of all gateways, found by their decorator. The server does not start with two of one name, with one
 * outside of a gateway on /ws, with a DTO that cannot be compiled, or without one that is documented as built.
 */
@Injectable()
export class SocketOperations implements OnModuleInit {
  private table: ReadonlyMap<string, Operation> | undefined;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly validator: Validator,
  ) {}

  onModuleInit(): void {
    this.byName();
  }

  find(name: string): Operation | undefined {
    return this.byName().get(name);
  }

  /** By the frame's name, in the order of the contract. */
  byName(): ReadonlyMap<string, Operation> {
    return (this.table ??= this.collect());
  }

  private collect(): ReadonlyMap<string, Operation> {
    const found = new Map<string, Operation>();
    for (const operation of this.declared()) {
      if (found.has(operation.name)) throw new Error(`Two socket operations handle the frame ${operation.name}`);
      found.set(operation.name, operation);
    }
    const missing = Object.entries(CLIENT_FRAMES).filter(([name, state]) => state === 'built' && !found.has(name));
    if (missing.length > 0) throw new Error(`No socket operation handles: ${missing.map(([name]) => name).join(', ')}`);
    const order = Object.keys(CLIENT_FRAMES);
    return new Map([...found].sort(([a], [b]) => order.indexOf(a) - order.indexOf(b)));
  }

  private declared(): Operation[] {
    const seen = new Set<unknown>();
    return this.discovery.getProviders().flatMap(({ instance }: { instance?: unknown }) => {
      // An alias of a provider is the same instance once more.
      if (typeof instance !== 'object' || instance === null || seen.has(instance)) return [];
      seen.add(instance);
      return this.operationsOf(instance);
    });
  }

  private operationsOf(gateway: object): Operation[] {
    const prototype = Object.getPrototypeOf(gateway) as Record<string, unknown> | null;
    if (prototype === null || prototype === Object.prototype) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const handler = prototype[method] as Handler;
      const facts = Reflect.getMetadata(SOCKET_OPERATION, handler) as OperationFacts | undefined;
      if (!facts) return [];
      assertGateway(gateway, facts.name);
      return [{ ...facts, schema: this.compile(facts.dto, facts.name), call: handler.bind(gateway) }];
    });
  }

  private compile(dto: DtoClass, name: string): ObjectSchema {
    try {
      return this.validator.prepare(dto);
    } catch (cause) {
      throw new Error(`The frame ${name} cannot be validated: ${(cause as Error).message}`, { cause });
    }
  }
}

function assertGateway(gateway: object, name: string): void {
  const options = Reflect.getMetadata(GATEWAY_OPTIONS, gateway.constructor) as { path?: string } | undefined;
  if (options?.path !== SOCKET_PATH)
    throw new Error(`${gateway.constructor.name} handles ${name}, but is no @WebSocketGateway({ path: '/ws' })`);
}

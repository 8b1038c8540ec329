/**
 * Discovery: what providers say of themselves by decorators, found once while the server starts.
 *
 * A decorator (`@SocketOperation`, `@JobHandler`, `@OnConnection`, `@DeadLetterSource`, `@TenantExport`, `@Every`, `@OnStop`) only marks
 * its class or method; the part that it is for reads the marks and refuses to start with one too few or one too many. So
 * nothing registers itself, and the order of the modules decides nothing.
 */
import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';

/** A provider whose class has a mark. */
export interface Found<O, T extends object = object> {
  readonly options: O;
  readonly provider: T;
  /** Of the class, for messages. */
  readonly name: string;
}

/** A method of a provider that has a mark. */
export interface FoundMethod<O> extends Found<O> {
  readonly method: string;
  /** The method, bound to its provider. */
  readonly call: (...args: unknown[]) => unknown;
}

/** Marks a class; the marks of a class are its own, not those of what it extends. */
export function markClass(mark: symbol, options: unknown): (target: object) => void {
  return (target) => set(mark, options, target);
}

/** Marks a method, once. */
export function markMethod(mark: symbol, options: unknown): (descriptor: { readonly value?: unknown }) => void {
  return ({ value }) => set(mark, options, value as object);
}

function set(mark: symbol, options: unknown, target: object): void {
  if (Reflect.hasOwnMetadata(mark, target))
    throw new Error(`${(target as { name?: string }).name} has two marks of one kind (${mark.description})`);
  Reflect.defineMetadata(mark, options, target);
}

/** Finds the marks of all providers. Not to be asked before every provider is made: in no constructor. */
@Injectable()
export class Explorer {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: { getProviders(): readonly { instance?: unknown }[] },
    private readonly scanner: MetadataScanner,
  ) {}

  /** @param mark whose options are an `O`, on classes that make a `T`: its decorator sees to that */
  classes<O, T extends object>(mark: symbol): Found<O, T>[] {
    return this.providers().flatMap((provider) => {
      const options = Reflect.getOwnMetadata(mark, provider.constructor) as O | undefined;
      return options === undefined ? [] : [{ options, provider: provider as T, name: provider.constructor.name }];
    });
  }

  /** @param mark whose options are an `O`: its decorator sees to that */
  methods<O>(mark: symbol): FoundMethod<O>[] {
    return this.providers().flatMap((provider) => this.methodsOf<O>(mark, provider));
  }

  private methodsOf<O>(mark: symbol, provider: object): FoundMethod<O>[] {
    const prototype = Object.getPrototypeOf(provider) as Record<string, FoundMethod<O>['call']> | null;
    if (prototype === null || prototype === Object.prototype) return [];
    const { name } = provider.constructor;
    return this.scanner.getAllMethodNames(prototype).flatMap((method) => {
      const found = prototype[method];
      const options = found && (Reflect.getOwnMetadata(mark, found) as O | undefined);
      if (found === undefined || options === undefined) return [];
      return [{ options, provider, name, method, call: found.bind(provider) }];
    });
  }

  /** An alias of a provider is the same instance once more. */
  private providers(): object[] {
    const all = this.discovery.getProviders().map(({ instance }) => instance);
    return [...new Set(all)].filter((instance) => instance instanceof Object);
  }
}

/**
 * Discovery: what providers say of themselves by decorators, found once while the server starts.
 *
 * A decorator (`@SocketOperation`, `@JobHandler`, `@OnConnection`, `@DeadLetterSource`, `@TenantExport`, `@Every`, `@OnStop`) only marks
 * its class or method; the part that it is for reads the marks and refuses to start with one too few or one too many. So
 * nothing registers itself, and the order of the modules decides nothing.
 */

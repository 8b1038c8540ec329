import { MetadataScanner } from '@nestjs/core';
import { Explorer } from '../../src/platform/discovery';
import { type Lifecycle, LifecycleHooks } from '../../src/platform/lifecycle';
import { SilentLog } from '../../src/platform/logging';

/** Finds the decorators of these, as if they were all providers that there are. */
export function explorerOf(...providers: readonly object[]): Explorer {
  return new Explorer({ getProviders: () => providers.map((instance) => ({ instance })) }, new MetadataScanner());
}

/** Does what the server does with its providers: their timers run, and its stop reaches them. */
export function startProviders(lifecycle: Lifecycle, ...providers: readonly object[]): void {
  const hooks = new LifecycleHooks(explorerOf(...providers), lifecycle, new SilentLog());
  hooks.onModuleInit();
  hooks.onApplicationBootstrap();
}

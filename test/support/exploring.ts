import type { Provider } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import { Explorer } from '../../src/platform/discovery';

/** These providers alone, with what finds their decorators; its `init` rejects where the server would not start. */
export function exploring(...providers: Provider[]): Promise<TestingModule> {
  return Test.createTestingModule({ imports: [DiscoveryModule], providers: [Explorer, ...providers] }).compile();
}

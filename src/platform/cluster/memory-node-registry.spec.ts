import { nodeRegistrySuite } from '../../../test/support/suites/node-registry-suite';
import { ManualClock } from '../../common/time';
import { MemoryNodeRegistry, type NodeInfo } from '.';
import type { Heartbeats } from './memory-node-registry';

nodeRegistrySuite('memory', () => {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const shared: Heartbeats = new Map();
  const onError = (error: unknown): void => void errors.push(error);
  return {
    port: new MemoryNodeRegistry(clock, onError, shared),
    peer: new MemoryNodeRegistry(clock, onError, shared),
    errors,
    advance: (ms) => clock.advance(ms),
    close: () => undefined,
  };
});

describe('MemoryNodeRegistry', () => {
  it('lists the oldest node first, whoever asks', async () => {
    const clock = new ManualClock();
    const shared: Heartbeats = new Map();
    const made: NodeInfo[] = [];
    for (let i = 0; i < 3; i++) {
      const registry = new MemoryNodeRegistry(clock, () => undefined, shared);
      await registry.heartbeat();
      made.push(registry.self);
      clock.advance(10);
      expect(await registry.nodes()).toEqual(made);
    }
  });
});

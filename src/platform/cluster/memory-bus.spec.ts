import { busSuite } from '../../../test/support/suites/bus-suite';
import { MemoryBus, type Topic } from '.';
import type { TopicSubscriptions } from './memory-bus';

const TOPIC: Topic<number> = 'numbers';

busSuite('memory', () => {
  const errors: unknown[] = [];
  const shared: TopicSubscriptions = new Map();
  const onError = (error: unknown): void => void errors.push(error);
  return {
    port: new MemoryBus('node-1', onError, shared),
    peer: new MemoryBus('node-2', onError, shared),
    third: new MemoryBus('node-3', onError, shared),
    errors,
    advance: () => undefined,
    close: () => undefined,
  };
});

describe('MemoryBus', () => {
  it('delivers before the turn ends, also what handlers publish meanwhile', async () => {
    const bus = new MemoryBus('node', fail);
    const got: number[] = [];
    bus.subscribe(TOPIC, ({ payload }) => {
      got.push(payload);
      if (payload < 3) bus.publish(TOPIC, payload + 1);
    });
    bus.publish(TOPIC, 1);
    await new Promise(setImmediate);
    expect(got).toEqual([1, 2, 3]);
  });

  it('knows that a process by itself has no other node', () => {
    expect(new MemoryBus('node', fail).isShared).toBe(false);
  });

  it('names the topic of a handler that threw', async () => {
    const sources: string[] = [];
    const bus = new MemoryBus('node', (_error, source) => void sources.push(source));
    bus.subscribe(TOPIC, fail);
    bus.publish(TOPIC, 1);
    await new Promise(setImmediate);
    expect(sources).toEqual(['numbers']);
  });
});

function fail(): never {
  throw new Error('not expected');
}

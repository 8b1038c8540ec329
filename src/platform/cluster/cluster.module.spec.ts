import { Test } from '@nestjs/testing';
import { Clock, SystemClock } from '../../common/time';
import { SilentLog } from '../logging';
import { Bus, ClusterModule, Counters, Leases, NodeRegistry, openAlone, type Topic } from '.';

class RecordingLog extends SilentLog {
  readonly errors: object[] = [];

  override error(fields?: object): void {
    if (fields) this.errors.push(fields);
  }
}

const log = new RecordingLog();

const TOPIC: Topic<number> = 'numbers';

describe('ClusterModule', () => {
  it('provides the clock and one memory implementation per port', async () => {
    const app = await Test.createTestingModule({ imports: [ClusterModule.register(openAlone(log))] }).compile();
    expect(app.get(Clock)).toBeInstanceOf(SystemClock);
    expect(await app.get(Counters).take('a', 1000, 1)).toMatchObject({ count: 1 });
    expect(await app.get(Leases).claim('a', 'b', 1000)).toBe(true);
    const { self } = app.get(NodeRegistry);
    expect(await app.get(NodeRegistry).nodes()).toEqual([self]);
    const nodes: string[] = [];
    app.get(Bus).subscribe(TOPIC, ({ node }) => void nodes.push(node));
    app.get(Bus).publish(TOPIC, 1);
    await new Promise(setImmediate);
    expect(nodes).toEqual([self.nodeId]);
    await app.close();
  });

  it('logs a subscriber that throws, with its topic', async () => {
    const app = await Test.createTestingModule({ imports: [ClusterModule.register(openAlone(log))] }).compile();
    app.get(Bus).subscribe(TOPIC, () => {
      throw new Error('broken');
    });
    app.get(Bus).publish(TOPIC, 1);
    await new Promise(setImmediate);
    expect(log.errors).toMatchObject([{ error: { name: 'Error', message: 'broken' }, source: 'numbers' }]);
    await app.close();
  });
});

import { Lifecycle } from '../../platform/lifecycle';
import { SilentLog } from '../../platform/logging';
import { startProviders } from '../../../test/support/providers';
import { RecordingFeed } from '../../../test/support/realtime/recording-feed';
import { ReadUpdates } from './delivery.service';

const TENANT = 'tenant';
const ROOM = '0190bbbb-0000-7000-8000-000000000001';

describe('read updates', () => {
  let feed: RecordingFeed;
  let lifecycle: Lifecycle;
  let updates: ReadUpdates;

  beforeEach(() => {
    jest.useFakeTimers();
    feed = new RecordingFeed();
    lifecycle = new Lifecycle(new SilentLog());
    updates = new ReadUpdates(feed);
    startProviders(lifecycle, updates);
  });
  afterEach(() => jest.useRealTimers());

  const read = (userId: string, ...seqs: number[]): void =>
    seqs.forEach((seq) => updates.note(TENANT, ROOM, userId, seq));
  const told = (): unknown[] => feed.signals.map(({ frame }) => [frame['user_id'], frame['seq']]);

  it('tells the first at once, and of what follows within the second the highest', () => {
    read('ann', 1, 2, 5, 3);
    expect(told()).toEqual([['ann', 1]]);
    jest.advanceTimersByTime(1000);
    expect(told()).toEqual([
      ['ann', 1],
      ['ann', 5],
    ]);
    read('ann', 6);
    expect(feed.signals).toHaveLength(2);
    jest.advanceTimersByTime(1000);
    expect(told().at(-1)).toEqual(['ann', 6]);
  });

  it('merges per user', () => {
    read('ann', 1);
    read('ben', 2);
    expect(told()).toEqual([
      ['ann', 1],
      ['ben', 2],
    ]);
  });

  it('keeps nothing of who has stopped reading, nor after the server has stopped', async () => {
    read('ann', 1);
    jest.advanceTimersByTime(1000);
    expect(jest.getTimerCount()).toBe(0);
    read('ann', 2, 3);
    const stopped = lifecycle.stop('test over');
    await jest.runAllTimersAsync();
    await stopped;
    expect(told()).toEqual([
      ['ann', 1],
      ['ann', 2],
    ]);
  });
});

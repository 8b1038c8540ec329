import { RecordingLog } from '../../../../test/support/recording-log';
import { MemoryBus } from '../../../platform/cluster';
import { Metrics } from '../../../platform/metrics';
import type { FollowedRow } from '../chats.functions';
import { ChatBackstop } from '../streams/backstop';
import { FollowedStates } from '../streams/followed.repository';
import { LiveRun, LiveRuns } from './live-runs';

const REF = { tenantId: 'tenant', chatId: 'chat', runId: 'run' };
const FENCE = 3;
const ROW: FollowedRow = {
  tenant_id: REF.tenantId,
  room_id: REF.chatId,
  run_id: REF.runId,
  state: 'streaming',
  fence: FENCE,
  is_cancelled: false,
  tokens: 0,
  last_seq: null,
};

let rows: FollowedRow[];
let asked: number;
let backstop: ChatBackstop;
let runs: LiveRuns;

beforeEach(() => {
  jest.useFakeTimers();
  rows = [ROW];
  asked = 0;
  const log = new RecordingLog();
  const bus = new MemoryBus('node', () => undefined);
  const states = async (): Promise<FollowedStates> => {
    asked++;
    return new FollowedStates(rows);
  };
  backstop = new ChatBackstop(bus, { states }, new Metrics(log), log);
  runs = new LiveRuns(bus, backstop);
});
afterEach(async () => {
  await backstop.end();
  jest.useRealTimers();
});

function begun(fence = FENCE): LiveRun {
  const live = new LiveRun(REF, fence, 1, 'agent_default');
  runs.add(live);
  return live;
}

const second = (): Promise<unknown> => jest.advanceTimersByTimeAsync(1000);

describe('an answer that is written here', () => {
  it.each([
    ['was cancelled', { is_cancelled: true }, 'cancelled'],
    ['is another worker’s by now', { fence: FENCE + 1 }, 'lost'],
    ['is gone', { room_id: null, state: null, fence: null, is_cancelled: null }, 'lost'],
  ])('is aborted within a second where its run %s', async (_, change, reason) => {
    const live = begun();
    await second();
    expect(live.abort.signal.aborted).toBe(false);
    rows = [{ ...ROW, ...change }];
    await second();
    expect(live.abort.signal.reason).toBe(reason);
  });

  it('is left alone where nothing was said of it, and when its end is stored', async () => {
    const live = begun();
    rows = [];
    await second();
    rows = [{ ...ROW, state: 'completed', is_cancelled: true }];
    live.isOver = true;
    await second();
    expect([asked, live.abort.signal.aborted]).toEqual([2, false]);
  });

  it('is asked for while it is written and no longer, the one that took its place too', async () => {
    const [first, next] = [begun(), begun()];
    runs.remove(first);
    expect(runs.find(REF.runId)).toBe(next);
    await second();
    expect([asked, runs.size()]).toEqual([1, 1]);
    runs.remove(next);
    await second();
    await second();
    expect([asked, runs.size(), jest.getTimerCount()]).toEqual([1, 0, 0]);
  });
});

import { RecordingLog } from '../../../../test/support/recording-log';
import { unavailable } from '../../../common/errors';
import { MemoryBus } from '../../../platform/cluster';
import { Metrics } from '../../../platform/metrics';
import { ChatBackstop, type Followed, type Missed } from './backstop';
import type { ChatRef } from './chat-hub';
import { type FollowedKeys, FollowedStates } from './followed.repository';

const TENANT = 'tenant';

/** What was asked for, in short, and how many statements ran at the same time. */
class FakeRepository {
  readonly asked: { readonly runs: readonly string[]; readonly chats: readonly string[] }[] = [];
  mostAtOnce = 0;
  answer: () => Promise<void> = () => Promise.resolve();
  private atOnce = 0;

  async states({ runs, chats }: FollowedKeys): Promise<FollowedStates> {
    this.asked.push({
      runs: Array.from(runs, ({ runId }) => runId),
      chats: Array.from(chats, ({ chatId }) => chatId),
    });
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    try {
      await this.answer();
    } finally {
      this.atOnce--;
    }
    return new FollowedStates([]);
  }
}

class FakeFollowed implements Followed {
  compared = 0;
  missed: readonly Missed[] = [];
  readonly chat: ChatRef;
  readonly isWholeChat: boolean;

  constructor(
    private readonly runs: readonly string[],
    chatId?: string,
    readonly everyMs?: number,
  ) {
    this.chat = { tenantId: TENANT, chatId: chatId ?? 'unasked' };
    this.isWholeChat = chatId !== undefined;
  }

  runIds(): readonly string[] {
    return this.runs;
  }

  compare(): readonly Missed[] {
    this.compared++;
    return this.missed;
  }
}

let log: RecordingLog;
let metrics: Metrics;
let repository: FakeRepository;
let bus: MemoryBus & { state: 'live' | 'down' };
let backstop: ChatBackstop;

beforeEach(() => {
  jest.useFakeTimers();
  log = new RecordingLog();
  metrics = new Metrics(log);
  repository = new FakeRepository();
  bus = Object.assign(new MemoryBus('node', () => undefined), { state: 'live' });
  backstop = new ChatBackstop(bus, repository, metrics, log);
});
afterEach(async () => {
  await backstop.end();
  jest.useRealTimers();
});

const pass = (ms: number): Promise<unknown> => jest.advanceTimersByTimeAsync(ms);

describe('the backstop', () => {
  it('asks nothing where nobody follows anything, and has no timer then', async () => {
    expect(jest.getTimerCount()).toBe(0);
    const unfollow = backstop.follow(new FakeFollowed(['a']));
    expect(jest.getTimerCount()).toBe(1);
    unfollow();
    await pass(10_000);
    expect([repository.asked, jest.getTimerCount()]).toEqual([[], 0]);
    const again = new FakeFollowed(['b']);
    backstop.follow(again);
    await pass(2000);
    expect([repository.asked.length, again.compared]).toEqual([1, 1]);
  });

  it('asks for all that is followed with one statement every two seconds, for each chat once', async () => {
    const all = [new FakeFollowed(['a']), new FakeFollowed(['b', 'c'], 'one'), new FakeFollowed([], 'one')];
    for (const followed of all) backstop.follow(followed);
    await pass(1999);
    expect(repository.asked).toEqual([]);
    await pass(4001);
    expect(repository.asked).toEqual(Array(3).fill({ runs: ['a', 'b', 'c'], chats: ['one'] }));
    expect(all.map(({ compared }) => compared)).toEqual([3, 3, 3]);
  });

  it('asks for thousands in pages, one after the other', async () => {
    const all = Array.from({ length: 2500 }, (_, n) => new FakeFollowed([`run ${n}`]));
    for (const followed of all) backstop.follow(followed);
    repository.answer = () => new Promise((resolve) => setTimeout(resolve, 100));
    await pass(2300);
    expect(repository.asked.map(({ runs }) => runs.length)).toEqual([1000, 1000, 500]);
    expect([repository.mostAtOnce, all.filter(({ compared }) => compared === 1).length]).toEqual([1, 2500]);
  });

  it('asks every second while one of them wants it, four times a second while the bus is down', async () => {
    backstop.follow(new FakeFollowed(['a']));
    const unfollow = backstop.follow(new FakeFollowed(['b'], undefined, 1000));
    await pass(2000);
    const first = repository.asked.length;
    await pass(3000);
    expect(repository.asked.length - first).toBe(3);
    unfollow();
    bus.state = 'down';
    await pass(1000);
    const down = repository.asked.length;
    await pass(1000);
    expect(repository.asked.length - down).toBe(4);
    bus.state = 'live';
    await pass(250);
    const live = repository.asked.length;
    await pass(2000);
    expect(repository.asked.length - live).toBe(1);
  });

  it('goes on when the database is back, and says once that it was away', async () => {
    const followed = new FakeFollowed(['a']);
    backstop.follow(followed);
    repository.answer = () => Promise.reject(unavailable('away'));
    await pass(10_000);
    expect([repository.asked.length, followed.compared]).toEqual([5, 0]);
    repository.answer = () => Promise.resolve();
    await pass(2000);
    expect(followed.compared).toBe(1);
    expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn timer failed',
      'info timer works again',
    ]);
  });

  it('compares nothing with who is gone by then, and counts what was missed', async () => {
    const [gone, here] = [new FakeFollowed(['a']), new FakeFollowed(['b'])];
    here.missed = ['run', 'message'];
    const unfollow = backstop.follow(gone);
    backstop.follow(here);
    repository.answer = async () => unfollow();
    await pass(2000);
    expect([gone.compared, here.compared]).toEqual([0, 1]);
    expect(await metrics.text()).toContain('chatapi_chat_hints_missed_total{what="message"} 1');
  });

  it('ends with its look, and starts none afterwards', async () => {
    backstop.follow(new FakeFollowed(['a']));
    let answered: () => void = () => undefined;
    repository.answer = () => new Promise((resolve) => (answered = resolve));
    await pass(2000);
    let isOver = false;
    const ending = backstop.end().then(() => (isOver = true));
    await pass(0);
    expect(isOver).toBe(false);
    answered();
    await ending;
    backstop.follow(new FakeFollowed(['b']));
    await pass(10_000);
    expect([repository.asked.length, jest.getTimerCount()]).toEqual([1, 0]);
  });
});

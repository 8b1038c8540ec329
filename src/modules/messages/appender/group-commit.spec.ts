import { AppError } from '../../../common/errors';
import { SilentLog } from '../../../platform/logging';
import { Metrics } from '../../../platform/metrics';
import type { WriteOutcome } from './batch-writer';
import { GroupCommit, type GroupCommitOptions, type Writer, WrittenBatches } from './group-commit';
import type { Appended, NewMessage } from './item';

const OPTIONS: GroupCommitOptions = {
  batch: { items: 4, bytes: 100_000 },
  share: { items: 2, bytes: 10_000 },
  total: { items: 10, bytes: 1_000_000 },
  perTenant: { items: 8, bytes: 1_000_000 },
  waiters: 2,
  lockMs: 0,
  contendedLockMs: 1000,
  // Longer than a slow machine takes: who waits for its end sets the time forward.
  answerMs: 120_000,
};

let made = 0;

function message(more: Partial<NewMessage> = {}): NewMessage {
  return {
    tenantId: 't',
    roomId: 'r',
    messageId: `m${++made}`,
    senderId: 'alice',
    clientMessageId: null,
    bodyHash: Buffer.from(more.content ?? ''),
    content: '',
    metaText: null,
    ...more,
  };
}

interface Call {
  readonly batch: readonly NewMessage[];
  readonly lockMs: number;
  /** It is for one room, which was found locked. */
  readonly wait: boolean;
  /** Answers the call; 'ok' stores everything. */
  answer(outcomes: 'ok' | readonly WriteOutcome[]): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** A log in memory whose calls a test answers by hand. */
class ManualWriter implements Writer {
  readonly calls: Call[] = [];
  private seq = 0;

  write(batch: readonly NewMessage[], lockMs: number): Promise<WriteOutcome[]> {
    return new Promise((resolve, reject) => {
      this.calls.push({
        batch,
        lockMs,
        wait: lockMs === OPTIONS.contendedLockMs,
        answer: async (outcomes) => {
          resolve(outcomes === 'ok' ? batch.map((item) => this.stored(item)) : [...outcomes]);
          await turn();
        },
        fail: async (error) => {
          reject(error);
          await turn();
        },
      });
    });
  }

  call(index: number): Call {
    const call = this.calls[index];
    if (!call) throw new Error(`there were ${this.calls.length} calls`);
    return call;
  }

  contents(index: number): string[] {
    return this.call(index).batch.map((item) => item.content);
  }

  private stored(item: NewMessage): WriteOutcome {
    const seq = ++this.seq;
    return { status: 'new', messageId: item.messageId, seq, rev: seq, createdAt: new Date(0) };
  }
}

/** Everything that can go on without the writer has gone on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function setUp(more: Partial<GroupCommitOptions> = {}): { writer: ManualWriter; commits: GroupCommit } {
  const writer = new ManualWriter();
  return { writer, commits: new GroupCommit(writer, new Metrics(new SilentLog()), { ...OPTIONS, ...more }) };
}

function seqs(results: readonly Appended[]): unknown[] {
  return results.map((result) => ('seq' in result ? result.seq : result.status));
}

const LOCKED: WriteOutcome = { status: 'locked' };

function storedAs({ messageId }: NewMessage): WriteOutcome {
  return { status: 'new', messageId, seq: 1, rev: 1, createdAt: new Date(0) };
}

describe('WrittenBatches', () => {
  const batch = { messages: 1, waitedMs: 0, tookMs: 1 };

  it('knows the batch of a message by its time, unless two may be it', () => {
    const written = new WrittenBatches();
    written.note({ ...batch, from: 10, to: 10, messages: 3 });
    written.note({ ...batch, from: 12, to: 14 });
    written.note({ ...batch, from: 14, to: 15 });
    const at = (ms: number): number | undefined => written.find(new Date(ms))?.messages;
    expect([9, 10, 11, 12, 14, 15, 16].map(at)).toEqual([undefined, 3, undefined, 1, undefined, 1, undefined]);
  });

  it('forgets the oldest ones', () => {
    const written = new WrittenBatches();
    for (let at = 0; at < 5000; at++) written.note({ ...batch, from: at, to: at });
    const known = Array.from({ length: 5000 }, (_, at) => at).filter((at) => written.find(new Date(at)) !== undefined);
    expect([known[0], known.length]).toEqual([904, 4096]);
  });
});

describe('GroupCommit', () => {
  it('remembers what it has written, of refused messages nothing', async () => {
    const { writer, commits } = setUp();
    const sent = ['a', 'b'].map((content) => commits.append(message({ content })));
    await turn();
    await writer.call(0).answer('ok');
    await Promise.all(sent);
    expect(commits.written.find(new Date(0))).toMatchObject({ messages: 2 });
    const refused = commits.append(message());
    await turn();
    await writer.call(1).answer([{ status: 'not_member' }]);
    await refused;
    expect(commits.written.find(new Date(0))).toMatchObject({ messages: 2 });
  });

  it('commits together what arrives while a commit runs', async () => {
    const { writer, commits } = setUp();
    const send = (content: string): Promise<Appended> => commits.append(message({ content }));
    const first = send('a');
    await turn();
    const rest = ['b', 'c', 'd', 'e', 'f'].map(send);
    await writer.call(0).answer('ok');
    await writer.call(1).answer('ok');
    await writer.call(2).answer('ok');
    expect([0, 1, 2].map((i) => writer.contents(i))).toEqual([['a'], ['b', 'c', 'd', 'e'], ['f']]);
    expect(seqs(await Promise.all([first, ...rest]))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(commits.size).toBe(0);
  });

  it('ends a batch at its bytes, but takes a larger message by itself', async () => {
    const { writer, commits } = setUp({ batch: { items: 4, bytes: 2000 } });
    const sent = ['a'.repeat(3000), 'b', 'c'.repeat(1000), 'd'].map((content) => commits.append(message({ content })));
    await turn();
    for (let i = 0; i < writer.calls.length; i++) await writer.call(i).answer('ok');
    await Promise.all(sent);
    expect(writer.calls.map((call) => call.batch.length)).toEqual([1, 2, 1]);
  });

  it('says what waits, in all and of a tenant, and since when', async () => {
    const { writer, commits } = setUp();
    const none = { items: 0, bytes: 0, oldestMs: 0 };
    expect([commits.levels(), commits.levels('t')]).toEqual([none, none]);
    const begun = performance.now();
    const first = commits.append(message());
    await turn();
    const second = commits.append(message({ tenantId: 'u' }));
    const all = commits.levels();
    expect(all).toMatchObject({ items: 2 });
    expect(all.bytes).toBeGreaterThan(0);
    // The first is being written, and no tenant's queue any more.
    expect(all.oldestMs).toBeGreaterThan(0);
    expect(all.oldestMs).toBeLessThanOrEqual(performance.now() - begun);
    expect(commits.levels('t')).toMatchObject({ items: 1, oldestMs: 0 });
    expect(commits.levels('u').oldestMs).toBeGreaterThan(0);
    expect(commits.levels('u').oldestMs).toBeLessThanOrEqual(commits.levels().oldestMs);
    await writer.call(0).answer([LOCKED]);
    // The first waits for its room now, both are being written.
    expect(commits.levels()).toMatchObject({ items: 2 });
    for (let i = 1; i < writer.calls.length; i++) await writer.call(i).answer('ok');
    await Promise.all([first, second]);
    expect([commits.levels(), commits.levels('u')]).toEqual([none, none]);
  });

  it('counts for each tenant what was stored, and how long it took', async () => {
    const metrics = new Metrics(new SilentLog());
    const writer = new ManualWriter();
    const commits = new GroupCommit(writer, metrics, OPTIONS);
    const sent = ['t', 'u', 't', 'u'].map((tenantId) => commits.append(message({ tenantId })));
    await turn();
    const { batch } = writer.call(0);
    await writer.call(0).answer([...batch.slice(0, 3).map(storedAs), { status: 'no_room' }]);
    await Promise.all(sent);
    expect([metrics.countsOf('t')?.messages, metrics.countsOf('u')?.messages]).toEqual([2, 1]);
    expect(metrics.countsOf('u')?.sends?.quantiles(performance.now())?.p50).toBeGreaterThan(0);
  });

  describe('a tenant that floods', () => {
    const send = (commits: GroupCommit, tenantId: string, content: string): Promise<Appended> =>
      commits.append(message({ tenantId, content }));

    it('has its share of each batch while another one sends', async () => {
      const { writer, commits } = setUp();
      const flood = ['a', 'b', 'c', 'd', 'e'].map((content) => send(commits, 'flood', content));
      const other = ['1', '2', '3'].map((content) => send(commits, 'other', content));
      await turn();
      for (let i = 0; i < writer.calls.length; i++) await writer.call(i).answer('ok');
      await Promise.all([...flood, ...other]);
      const batches = writer.calls.map((_, i) => writer.contents(i));
      expect(batches).toEqual([['a', '1', 'b', '2'], ['c', '3', 'd'], ['e']]);
    });

    it('has its share in bytes', async () => {
      const { writer, commits } = setUp({ share: { items: 4, bytes: 5000 } });
      const sent = ['a', 'b', 'c'].map((letter) => send(commits, 'flood', letter.repeat(2000)));
      sent.push(send(commits, 'other', '1'));
      await turn();
      for (let i = 0; i < writer.calls.length; i++) await writer.call(i).answer('ok');
      await Promise.all(sent);
      expect(writer.calls.map((_, i) => writer.contents(i).map((content) => content.slice(0, 1)))).toEqual([
        ['a', '1', 'b'],
        ['c'],
      ]);
    });
  });

  describe('repeats', () => {
    const repeat = (content = ''): NewMessage => message({ clientMessageId: 'c', content });

    it('within a batch get the answer of the first one; another body is a mismatch', async () => {
      const { writer, commits } = setUp();
      const results = Promise.all([repeat(), repeat(), repeat('other')].map((m) => commits.append(m)));
      await turn();
      await writer.call(0).answer('ok');
      const [first, second, third] = await results;
      expect(writer.calls).toHaveLength(1);
      expect(second).toEqual({ ...first, status: 'duplicate' });
      expect(third).toEqual({ status: 'mismatch' });
    });

    it.each<[string, WriteOutcome]>([
      ['refused', { status: 'not_member' }],
      ['failed', { status: 'failed', error: new Error('bad') }],
      ['a mismatch', { status: 'mismatch' }],
    ])('go on their own when the first one was %s', async (_name, outcome) => {
      const { writer, commits } = setUp();
      const first = commits.append(repeat()).catch((error: unknown) => error);
      const second = commits.append(repeat());
      await turn();
      await writer.call(0).answer([outcome]);
      await first;
      await writer.call(1).answer('ok');
      expect(await second).toMatchObject({ status: 'new' });
    });

    it('are parked behind a first one whose room is locked', async () => {
      const { writer, commits } = setUp();
      const results = Promise.all([repeat(), repeat()].map((m) => commits.append(m)));
      await turn();
      await writer.call(0).answer([LOCKED]);
      expect(writer.call(1)).toMatchObject({ wait: true, batch: [{ clientMessageId: 'c' }] });
      await writer.call(1).answer('ok');
      expect(writer.call(2)).toMatchObject({ wait: true, batch: [{ clientMessageId: 'c' }] });
      await writer.call(2).answer([{ status: 'mismatch' }]);
      expect(await results).toMatchObject([{ status: 'new' }, { status: 'mismatch' }]);
    });

    it('of different senders or rooms are different messages', async () => {
      const { writer, commits } = setUp({ share: OPTIONS.batch });
      const all = [{}, { senderId: 'bob' }, { roomId: 'r2' }, { tenantId: 't2' }];
      const results = Promise.all(all.map((more) => commits.append(message({ clientMessageId: 'c', ...more }))));
      await turn();
      expect(writer.call(0).batch).toHaveLength(4);
      await writer.call(0).answer('ok');
      await results;
    });
  });

  describe('a locked room', () => {
    it('stops no other, and its messages go in order when it is free', async () => {
      const { writer, commits } = setUp();
      const send = (roomId: string, content: string): Promise<Appended> => commits.append(message({ roomId, content }));
      const sent = [send('locked', '1'), send('free', 'x'), send('locked', '2')];
      await turn();
      await writer.call(0).answer([LOCKED, stored(1), LOCKED]);
      expect(writer.contents(1)).toEqual(['1', '2']);
      sent.push(send('locked', '3'), send('free', 'y'));
      await turn();
      expect(writer.contents(2)).toEqual(['y']);
      await writer.call(2).answer('ok');
      await writer.call(1).answer('ok');
      expect(writer.call(3).wait).toBe(true);
      expect(writer.contents(3)).toEqual(['3']);
      await writer.call(3).answer('ok');
      await Promise.all(sent);
      expect(commits.size).toBe(0);
      const last = send('locked', '4');
      await turn();
      expect(writer.call(4).wait).toBe(false);
      await writer.call(4).answer('ok');
      await last;
    });

    it('that stays locked is tried again in order, before later messages', async () => {
      const { writer, commits } = setUp({ batch: { items: 2, bytes: 100_000 } });
      const sent = ['1', '2', '3'].map((content) => commits.append(message({ content })));
      await turn();
      await writer.call(0).answer([LOCKED, LOCKED]);
      const waiting = writer.calls.findIndex((call) => call.wait);
      await writer.call(waiting).answer([LOCKED, LOCKED]);
      const again = writer.calls.findLastIndex((call) => call.wait);
      expect(writer.contents(again)).toEqual(['1', '2']);
      await writer.call(again).answer('ok');
      const last = writer.calls.findLastIndex((call) => call.wait);
      expect(writer.contents(last)).toEqual(['3']);
      await writer.call(last).answer('ok');
      expect(seqs(await Promise.all(sent))).toEqual([1, 2, 3]);
    });

    it('waits by itself: another locked room gets its own call, a third its turn', async () => {
      const { writer, commits } = setUp();
      const sent = ['r1', 'r2', 'r3'].map((roomId) => commits.append(message({ roomId, content: roomId })));
      await turn();
      await writer.call(0).answer([LOCKED, LOCKED, LOCKED]);
      expect(writer.calls.slice(1).map((call) => call.batch.map((m) => m.roomId))).toEqual([['r1'], ['r2']]);
      await writer.call(2).answer('ok');
      expect(writer.contents(3)).toEqual(['r3']);
      await writer.call(3).answer('ok');
      await writer.call(1).answer('ok');
      await Promise.all(sent);
    });
  });

  it.each([0, 50])(
    'waits %s ms for rooms, longer for one that it did not get, and counts what it waited for in vain',
    async (lockMs) => {
      const metrics = new Metrics(new SilentLog());
      const writer = new ManualWriter();
      const commits = new GroupCommit(writer, metrics, { ...OPTIONS, lockMs });
      const sent = commits.append(message());
      await turn();
      for (const outcome of [[LOCKED], [LOCKED], 'ok'] as const)
        await writer.call(writer.calls.length - 1).answer(outcome);
      await sent;
      expect(writer.calls.map((call) => call.lockMs)).toEqual([lockMs, 1000, 1000]);
      expect(await metrics.text()).toContain(`\nchatapi_append_locked_total ${lockMs === 0 ? 1 : 2}\n`);
    },
  );

  describe('bounds', () => {
    it('refuses with 503 beyond the bound in all and per tenant, and takes again when something left', async () => {
      const { writer, commits } = setUp();
      const sent = Array.from({ length: 8 }, () => commits.append(message()));
      await expect(commits.append(message())).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      sent.push(commits.append(message({ tenantId: 't2' })), commits.append(message({ tenantId: 't2' })));
      await expect(commits.append(message({ tenantId: 't3' }))).rejects.toMatchObject({
        details: { outcome: 'none' },
        retryAfterSeconds: 1,
      });
      await turn();
      await writer.call(0).answer('ok');
      sent.push(commits.append(message()));
      for (let i = 1; i < writer.calls.length; i++) await writer.call(i).answer('ok');
      expect(await Promise.all(sent)).toHaveLength(11);
    });

    it('counts parked messages too', async () => {
      const { writer, commits } = setUp();
      const sent = Array.from({ length: 4 }, () => commits.append(message()));
      await turn();
      await writer.call(0).answer([LOCKED, LOCKED, LOCKED, LOCKED]);
      sent.push(...Array.from({ length: 4 }, () => commits.append(message())));
      await expect(commits.append(message())).rejects.toBeInstanceOf(AppError);
      for (let i = 1; i < writer.calls.length; i++) await writer.call(i).answer('ok');
      await Promise.all(sent);
    });
  });

  describe('a writer that does not answer', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] }));
    afterEach(() => jest.useRealTimers());

    const outcomeOf = (sent: Promise<unknown>): Promise<unknown> =>
      sent.then(
        (result) => result,
        (error: unknown) => (error instanceof AppError ? error.details : error),
      );

    it('leaves nobody waiting: unknown for what is being written, none for what only waited', async () => {
      const { writer, commits } = setUp();
      const writing = outcomeOf(commits.append(message({ content: 'writing' })));
      await turn();
      const waiting = outcomeOf(commits.append(message({ content: 'waiting' })));
      jest.advanceTimersByTime(OPTIONS.answerMs);
      expect(await writing).toEqual({ outcome: 'unknown' });
      expect(await waiting).toEqual({ outcome: 'none' });
      await writer.call(0).answer('ok');
      expect(writer.calls).toHaveLength(1);
      expect(commits.size).toBe(0);
    });

    it('is not asked to store what was answered while its room was locked', async () => {
      const { writer, commits } = setUp();
      const sent = outcomeOf(commits.append(message()));
      await turn();
      await writer.call(0).answer([LOCKED]);
      jest.advanceTimersByTime(OPTIONS.answerMs);
      expect(await sent).toEqual({ outcome: 'unknown' });
      await writer.call(1).answer([LOCKED]);
      expect(writer.calls).toHaveLength(2);
      expect(commits.size).toBe(0);
    });
  });

  it('answers all of a batch whose writer throws, and goes on', async () => {
    const { writer, commits } = setUp();
    const sent = commits.append(message());
    const failed = expect(sent).rejects.toThrow('broken');
    await turn();
    await writer.call(0).fail(new Error('broken'));
    await failed;
    const next = commits.append(message());
    await turn();
    await writer.call(1).answer('ok');
    expect(seqs([await next])).toEqual([1]);
  });

  it('is idle when everything has left, parked rooms included', async () => {
    const { writer, commits } = setUp();
    const sent = [commits.append(message()), commits.append(message({ roomId: 'r2' }))];
    let isIdle = false;
    const idle = commits.idle().then(() => (isIdle = true));
    await turn();
    await writer.call(0).answer([LOCKED, stored(1)]);
    expect(isIdle).toBe(false);
    await writer.call(1).answer('ok');
    await Promise.all([idle, ...sent]);
    expect(isIdle).toBe(true);
  });
});

function stored(seq: number): WriteOutcome {
  return { status: 'new', messageId: `x${seq}`, seq, rev: seq, createdAt: new Date(0) };
}

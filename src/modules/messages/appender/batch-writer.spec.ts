import fc from 'fast-check';
import { unavailable } from '../../../common/errors';
import { FakeAppendLog, newMessages } from '../../../../test/support/fake-append-log';
import type { AppendRow } from '../messages.functions';
import { BatchWriter } from './batch-writer';
import { isMessage, type LogWrite, type StateChange } from './item';
import { runs } from '../../../../test/support/timing';

const unknown = () => unavailable('gone', { outcome: 'unknown' });
const none = () => unavailable('gone', { outcome: 'none' });
const sqlstate = (code: string): Error => Object.assign(new Error('said the server'), { code });
const back = (): Promise<boolean> => Promise.resolve(true);

describe('after a lost connection', () => {
  it.each([
    ['before its COMMIT', false],
    ['after its COMMIT', true],
  ])('%s each message is stored once and has its number', async (_, committed) => {
    const log = new FakeAppendLog();
    log.nextAppend({ error: unknown(), committed });
    const results = await new BatchWriter(log, back).write(newMessages(3), 0);
    expect(results).toMatchObject([1, 2, 3].map((seq) => ({ status: 'new', seq })));
    expect(log.stored).toHaveLength(3);
  });

  it('a refused connection is worth a second try too: nothing has happened yet', async () => {
    const log = new FakeAppendLog();
    log.nextAppend({ error: none(), committed: false });
    expect(await new BatchWriter(log, back).write(newMessages(1), 0)).toMatchObject([{ status: 'new', seq: 1 }]);
  });

  it('the first transaction may still commit while the second is on its way: the log has the last word', async () => {
    const log = new FakeAppendLog();
    log.nextAppend({ error: unknown(), committed: false });
    log.nextAppend({ error: sqlstate('23505'), committed: true });
    const results = await new BatchWriter(log, back).write(newMessages(2), 1000);
    expect(results).toMatchObject([1, 2].map((seq) => ({ status: 'new', seq })));
    expect(log.stored).toHaveLength(2);
  });

  it('a state is set again, and what is found so may be what nobody was told of', async () => {
    const log = new FakeAppendLog();
    log.nextAppend({ error: unknown(), committed: false });
    const [message] = newMessages(1);
    const state = { ...{ seq: 1, rev: 7 }, created_at: new Date(0) };
    const asked: unknown[] = [];
    const repository = {
      lookup: (batch: readonly LogWrite[]) => log.lookup(batch.filter(isMessage)),
      append: async (batch: readonly LogWrite[]): Promise<AppendRow[]> => {
        asked.push(batch);
        const rows = await log.append(batch.filter(isMessage));
        return [...rows, { item: batch.length, status: 'unchanged', message_id: '', ...state, state }];
      },
    };
    const ids = { tenantId: 't', roomId: 'r', messageId: 'm', userId: 'bob' };
    const change: StateChange = { ...ids, state: 'reaction', key: 'x', on: true };
    const batch = message === undefined ? [] : [message, change];
    const results = await new BatchWriter(repository, back).write(batch, 0);
    expect(results).toMatchObject([
      { status: 'new', seq: 1 },
      { status: 'state', outcome: 'unchanged', isDoubtful: true },
    ]);
    expect(asked).toHaveLength(2);
    const again = await new BatchWriter(
      {
        ...repository,
        append: () => Promise.resolve([{ item: 1, status: 'unchanged', message_id: '', ...state, state }]),
      },
      back,
    ).write([change], 0);
    expect(again).toEqual([{ status: 'state', outcome: 'unchanged', state }]);
  });

  it('a state that waits for its room then may still be what nobody was told of', async () => {
    const ids = { tenantId: 't', roomId: 'r', messageId: 'm', userId: 'bob' };
    const change: StateChange = { ...ids, state: 'reaction', key: 'x', on: true };
    const row = { item: 1, message_id: '', seq: 1, rev: 7, created_at: new Date(0), state: { seq: 1, rev: 7 } };
    const answers: (() => AppendRow[])[] = [
      () => {
        throw unknown();
      },
      () => [{ ...row, status: 'locked' }],
      () => [{ ...row, status: 'unchanged' }],
    ];
    const append = (): Promise<AppendRow[]> => Promise.resolve().then(() => answers.shift()?.() ?? []);
    const writer = new BatchWriter({ append, lookup: () => Promise.resolve([]) }, back);
    expect(await writer.write([change], 0)).toEqual([{ status: 'locked' }]);
    expect(await writer.write([change], 1000)).toMatchObject([{ outcome: 'unchanged', isDoubtful: true }]);
  });

  it('that lasts, callers are told that nobody knows', async () => {
    const log = new FakeAppendLog();
    log.nextAppend({ error: unknown(), committed: true });
    const [result] = await new BatchWriter(log, () => Promise.resolve(false)).write(newMessages(1), 0);
    expect(result).toMatchObject({ status: 'failed', error: { details: { outcome: 'unknown' } } });
  });

  it.each([
    [unknown, none],
    [none, unknown],
  ])('twice, the doubt of either try counts', async (first, second) => {
    const log = new FakeAppendLog();
    log.nextAppend({ error: first(), committed: false });
    log.nextAppend({ error: second(), committed: false });
    const results = await new BatchWriter(log, back).write(newMessages(2), 0);
    expect(results).toMatchObject(Array(2).fill({ status: 'failed', error: { details: { outcome: 'unknown' } } }));
  });

  it('and a log that cannot be asked, callers are told that nobody knows', async () => {
    const log = new FakeAppendLog();
    log.nextAppend({ error: unknown(), committed: true });
    log.lookupFails = none();
    const [result] = await new BatchWriter(log, back).write(newMessages(1), 0);
    expect(result).toMatchObject({ status: 'failed', error: { details: { outcome: 'unknown' } } });
  });
});

it('one bad item fails alone, and the others are stored in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(19), { maxLength: 5 }), async (bad) => {
      const messages = newMessages(20);
      const log = new FakeAppendLog(new Set(bad.map((i) => messages[i]?.messageId ?? '')));
      const results = await new BatchWriter(log, back).write(messages, 0);
      expect(results.flatMap((r, i) => (r.status === 'failed' ? [i] : []))).toEqual([...bad].sort((a, b) => a - b));
      expect(results.flatMap((r) => ('seq' in r ? [r.seq] : []))).toEqual(log.stored.map((_, i) => i + 1));
    }),
    { numRuns: runs(50) },
  );
});

it('a room that was locked for the first half of a split batch stays so for the second', async () => {
  const messages = newMessages(4).map((message, i) => ({ ...message, roomId: i % 2 === 0 ? 'held' : 'free' }));
  const log = new FakeAppendLog(new Set([messages[3]?.messageId ?? '']));
  log.held = { roomId: 'held', appends: 1 };
  const results = await new BatchWriter(log, back).write(messages, 0);
  expect(results.map((result) => result.status)).toEqual(['locked', 'new', 'locked', 'failed']);
  expect(log.stored).toEqual(['message-1']);
});

it('whatever breaks on the way, what is reported as stored is stored once, and what is reported as certain is so', async () => {
  const failure = fc.record({ kind: fc.constantFrom(unknown, none), committed: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(failure, { maxLength: 4 }), fc.boolean(), async (failures, isBack) => {
      const log = new FakeAppendLog();
      // "none" is said only of what has not committed.
      for (const { kind, committed } of failures)
        log.nextAppend({ error: kind(), committed: committed && kind === unknown });
      const messages = newMessages(3);
      const results = await new BatchWriter(log, () => Promise.resolve(isBack)).write(messages, 0);
      expect(new Set(log.stored).size).toBe(log.stored.length);
      results.forEach((result, i) => {
        const at = log.stored.indexOf(messages[i]?.messageId ?? '');
        if (result.status === 'new') expect(result).toMatchObject({ seq: at + 1 });
        else if ((result as { error: { details: { outcome: string } } }).error.details.outcome === 'none')
          expect(at).toBe(-1);
      });
    }),
    { numRuns: runs(200) },
  );
});

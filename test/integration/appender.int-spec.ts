import fc from 'fast-check';
import { AppError } from '../../src/common/errors';
import { newUuid } from '../../src/common/ids';
import { Appender, APPENDER_DEFAULTS } from '../../src/modules/messages/appender/appender';
import { isStored, type NewMessage } from '../../src/modules/messages/appender/item';
import { MessageFeed } from '../../src/modules/messages/message-feed';
import { startProviders } from '../support/providers';
import { Lifecycle } from '../../src/platform/lifecycle';
import { SilentLog } from '../../src/platform/logging';
import { Metrics } from '../../src/platform/metrics';
import { AppendFixture, checkLog, messageTo, type RoomRef, seqOf, untilTrue } from '../support/append-model';
import { simulateAppends, appendStep } from '../support/append-simulator';
import { NO_AGENTS, NO_TURNS, RecordingFeed, typingOn } from '../support/realtime/recording-feed';
import { runs } from '../support/timing';

/** How long the first writer waits for a room: not at all, or less long than a room is held. */
const PATIENCE = fc.constantFrom(0, 20);

describe('the appender on a real database', () => {
  let bench: AppendFixture;

  beforeAll(async () => {
    bench = await AppendFixture.start();
  });
  afterAll(() => bench.close());

  const contentsOf = async (room: RoomRef): Promise<string[]> => (await bench.log(room)).map((m) => m.content);

  function numbered(room: RoomRef, count: number, prefix = ''): NewMessage[] {
    return Array.from({ length: count }, (_, i) => messageTo(room, { content: `${prefix}${i}` }));
  }

  it('commits the messages of a room in the order in which they were handed in', async () => {
    const commits = bench.groupCommit();
    const rooms = await Promise.all([bench.room(), bench.room(), bench.room()]);
    const sent = Array.from({ length: 900 }, (_, i) =>
      messageTo(rooms[i % rooms.length] as RoomRef, { content: String(i) }),
    );
    const results = await Promise.all(sent.map((message) => commits.append(message)));
    for (const [n, room] of rooms.entries()) {
      const own = sent.map((_, i) => i).filter((i) => i % rooms.length === n);
      expect(await contentsOf(room)).toEqual(own.map(String));
      expect(own.map((i) => seqOf(results[i] ?? { status: 'no_room' }))).toEqual(own.map((_, k) => k + 1));
    }
  });

  it('joins repeats within a batch and across batches', async () => {
    const commits = bench.groupCommit();
    const room = await bench.room();
    const repeat = (content = 'same'): NewMessage => messageTo(room, { clientMessageId: 'c', content });
    const early = [repeat(), repeat(), repeat('other'), repeat()].map((message) => commits.append(message));
    await early[0];
    const results = await Promise.all([...early, commits.append(repeat()), commits.append(repeat('other'))]);
    expect(results.map((result) => result.status)).toEqual([
      'new',
      'duplicate',
      'mismatch',
      'duplicate',
      'duplicate',
      'mismatch',
    ]);
    expect(new Set(results.filter(isStored).map((result) => result.messageId)).size).toBe(1);
    expect(await contentsOf(room)).toEqual(['same']);
  });

  it('goes on with other rooms while one is locked, whose messages follow in order', async () => {
    const commits = bench.groupCommit();
    const [locked, free] = [await bench.room(), await bench.room()];
    const held = await bench.hold(locked);
    const behind = numbered(locked, 5).map((message) => commits.append(message));
    await bench.lockWaiters(1);
    await Promise.all(numbered(free, 300).map((message) => commits.append(message)));
    behind.push(...numbered(locked, 300, 'late').map((message) => commits.append(message)));
    expect(await bench.log(locked)).toEqual([]);
    await held.release();
    expect((await Promise.all(behind)).map(seqOf)).toEqual(behind.map((_, i) => i + 1));
    expect((await contentsOf(locked)).slice(4, 7)).toEqual(['4', 'late0', 'late1']);
  });

  it('serves a room that is free again although another stays locked', async () => {
    const commits = bench.groupCommit();
    const [a, b] = [await bench.room(), await bench.room()];
    const holds = [await bench.hold(a), await bench.hold(b)];
    const sent = [a, b].map((room) => commits.append(messageTo(room)));
    await bench.lockWaiters(2);
    await holds[1]?.release();
    expect(await sent[1]).toMatchObject({ status: 'new' });
    await holds[0]?.release();
    expect(await sent[0]).toMatchObject({ status: 'new' });
  });

  it('fails a bad message alone', async () => {
    const commits = bench.groupCommit();
    const room = await bench.room();
    const good = numbered(room, 20);
    const bad = messageTo(room, { content: 'NUL\u0000' });
    const results = await Promise.allSettled(
      [...good.slice(0, 7), bad, ...good.slice(7)].map((message) => commits.append(message)),
    );
    expect(results.map((result) => result.status)).toEqual(
      Array.from({ length: 21 }, (_, i) => (i === 7 ? 'rejected' : 'fulfilled')),
    );
    expect(await contentsOf(room)).toEqual(good.map((message) => message.content));
  });

  it('gives a quiet tenant its turn beside a flood', async () => {
    const commits = bench.groupCommit();
    const [flood, quiet] = [await bench.room(), await bench.room()];
    let answered = 0;
    const all = numbered(flood, 4000).map((message) => commits.append(message).then(() => answered++));
    await commits.append(messageTo(quiet));
    expect(answered).toBeLessThanOrEqual(APPENDER_DEFAULTS.share.items);
    await Promise.all(all);
  });

  it('answers 503 when a room stays locked; what was reported as not written is never stored', async () => {
    const commits = bench.groupCommit({ answerMs: 200, batch: { items: 1, bytes: 1 } });
    const room = await bench.room();
    const held = await bench.hold(room);
    const sent = numbered(room, 3);
    const outcomes = await Promise.all(
      sent.map((message) =>
        commits.append(message).then(
          (result) => result.status,
          (error: unknown) => (error instanceof AppError ? error.details?.['outcome'] : error),
        ),
      ),
    );
    expect(outcomes).toEqual(['unknown', 'none', 'none']);
    await held.release();
    await commits.idle();
    const unsure = sent.filter((_, i) => outcomes[i] === 'unknown').map((message) => message.content);
    expect(unsure).toEqual(expect.arrayContaining(await contentsOf(room)));
    expect(seqOf(await commits.append(messageTo(room)))).toBe((await bench.log(room)).length);
  });

  it('answers everything before it is idle', async () => {
    const commits = bench.groupCommit();
    const [locked, free] = [await bench.room(), await bench.room()];
    const held = await bench.hold(locked);
    let answered = 0;
    const sent = [...numbered(free, 600), ...numbered(locked, 10)].map((message) =>
      commits.append(message).then(() => answered++),
    );
    const idle = commits.idle();
    await bench.lockWaiters(1);
    await held.release();
    await idle;
    await Promise.all(sent.slice(0, 1));
    expect(answered).toBe(610);
    expect(commits.size).toBe(0);
  });

  it('stores once what was being written when its connection was killed', async () => {
    const commits = bench.groupCommit();
    const room = await bench.room();
    const held = await bench.hold(room);
    const sent = [messageTo(room), messageTo(room, { clientMessageId: 'c' })].map((m) => commits.append(m));
    await bench.lockWaiters(1);
    expect(await bench.killBusySessions()).toBeGreaterThan(0);
    await bench.lockWaiters(1);
    await held.release();
    expect((await Promise.all(sent)).map(seqOf)).toEqual([1, 2]);
    checkLog(await bench.log(room));
    const again = await commits.append(messageTo(room, { clientMessageId: 'c' }));
    expect(again).toMatchObject({ status: 'duplicate', seq: 2 });
  });

  it('refuses with 503 what does not fit, and takes again afterwards', async () => {
    const commits = bench.groupCommit({ perTenant: { items: 10, bytes: 1_000_000 } });
    const room = await bench.room();
    const results = await Promise.allSettled(numbered(room, 15).map((message) => commits.append(message)));
    expect(results.filter((result) => result.status === 'rejected')).toHaveLength(5);
    expect(results.slice(0, 10).every((result) => result.status === 'fulfilled')).toBe(true);
    await untilTrue(() => commits.size === 0);
    expect(seqOf(await commits.append(messageTo(room)))).toBe(11);
  });

  it('is closed by the stop of the server: what was handed in is answered, what comes later gets 503', async () => {
    const lifecycle = new Lifecycle(new SilentLog());
    const feed = new RecordingFeed();
    const appender = new Appender(
      bench.repository,
      bench.open.availability,
      new Metrics(new SilentLog()),
      new MessageFeed(feed, typingOn(feed), NO_TURNS, NO_AGENTS),
      new SilentLog(),
      bench.open.acknowledged,
    );
    startProviders(lifecycle, appender);
    const room = await bench.room();
    const sent = numbered(room, 300).map((message) => appender.append(message));
    await lifecycle.stop('test');
    const late = messageTo(room);
    await expect(appender.append(late)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect((await Promise.all(sent)).map(seqOf)).toEqual(sent.map((_, i) => i + 1));
    expect(await bench.log(room)).toHaveLength(300);
    expect(feed.events.map((event) => event.seq)).toEqual(sent.map((_, i) => i + 1));
  });

  it('agrees with a simple model, whatever happens beside the sends', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(appendStep, { minLength: 5, maxLength: 60 }), PATIENCE, async (steps, lockMs) => {
        const tenantId = newUuid();
        await bench.database.sql('INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)', [tenantId, 'test']);
        const rooms = [await bench.room({ tenantId }), await bench.room()];
        const faults = await simulateAppends(bench, rooms, steps, lockMs);
        expect(faults).toEqual([]);
      }),
      { numRuns: runs(25) },
    );
  });
});

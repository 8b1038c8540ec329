import type { Readable } from 'node:stream';
import { callerOf, FakeReader, StatsFixture } from '../../../test/support/stats-fixture';
import { newUuid } from '../../common/ids';
import { SLOTS } from './ring';
import { MOST_STREAMS } from './streams';

const TENANT = newUuid();
/** More waits for a reader only by what the last sample had. */
const PACE = 256 * 1024;

const idsIn = (body: Readable): number[] =>
  [...String((body.read() as Buffer | null) ?? '').matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));

describe('streams of stats', () => {
  let site: StatsFixture;
  const readers: FakeReader[] = [];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
    site = new StatsFixture();
  });
  afterEach(() => {
    for (const reader of readers.splice(0)) reader.emit('close');
    expect(site.streams.size()).toBe(0);
    jest.useRealTimers();
  });

  function open(after?: number, tenantId?: string, keyOf?: string): Readable {
    const reader = new FakeReader();
    const body = site.streams.openStream(reader.reply, callerOf(keyOf), tenantId, after);
    readers.push(reader);
    return body;
  }

  /** The ids of all samples, which are rising numbers. */
  const ids = (from: number, to = site.ring.newest): number[] =>
    Array.from({ length: to - from + 1 }, (_, i) => site.ring.idOf(from + i));

  it('begin with the newest sample, or after the one that the reader has', () => {
    for (let i = 0; i < 5; i++) site.second();
    const [newest, all, some, future] = [open(), open(0), open(site.ring.idOf(2)), open(1e14)];
    expect(idsIn(newest)).toEqual(ids(4));
    expect(idsIn(all)).toEqual(ids(0));
    expect(idsIn(some)).toEqual(ids(3));
    expect(idsIn(future)).toEqual(ids(4));
    site.second();
    for (const body of [newest, all, some, future]) expect(idsIn(body)).toEqual(ids(5));
  });

  it('wait for the first sample of a server that has just started', () => {
    const [body, resumed] = [open(), open(12345)];
    expect(idsIn(body)).toEqual([]);
    site.second();
    expect(idsIn(body)).toEqual(ids(0));
    expect(idsIn(resumed)).toEqual(ids(0));
  });

  it('give a tenant’s past from when it began to do something, and its present from then on', () => {
    site.second();
    site.metrics.tenant(TENANT).messages++;
    for (let i = 0; i < 3; i++) site.second();
    const body = open(0, TENANT);
    expect(idsIn(body)).toEqual(ids(1));
    const quiet = open(0, newUuid());
    expect(idsIn(quiet)).toEqual([]);
    site.second();
    expect(idsIn(quiet)).toEqual(ids(4));
    expect(idsIn(body)).toEqual(ids(4));
  });

  it('hold little for a reader that does not read, and lose nothing of ten minutes once it does', () => {
    for (let i = 0; i < 20; i++) site.metrics.tenant(newUuid()).messages++;
    for (let i = 0; i < SLOTS; i++) site.second();
    const frame = site.ring.frameOf(site.ring.newest)?.length ?? 0;
    const body = open(0);
    expect(body.readableLength).toBeLessThan(PACE + frame);
    expect(SLOTS * frame).toBeGreaterThan(4 * PACE);
    const got: number[] = [];
    for (let i = 0; i < 60; i++) {
      got.push(...idsIn(body));
      if (i === 3) site.second();
      jest.advanceTimersByTime(20);
    }
    expect(got).toEqual([...new Set(got)]);
    expect(got.slice(-SLOTS)).toEqual(ids(site.ring.newest - SLOTS + 1));
    // Nobody is behind: no timer runs for that.
    readers.splice(0).forEach((reader) => reader.emit('close'));
    expect(jest.getTimerCount()).toBe(0);
  });

  it('end with the server, and what catches up with them', () => {
    for (let i = 0; i < 20; i++) site.metrics.tenant(newUuid()).messages++;
    for (let i = 0; i < SLOTS; i++) site.second();
    const body = open(0);
    site.streams.end();
    site.sse.endAll();
    const before = body.readableLength;
    jest.advanceTimersByTime(1000);
    expect(body.readableLength).toBe(before);
  });

  it(`are at most ${MOST_STREAMS}: 15 of keys, 5 of one tenant`, () => {
    const of = (keyOf: string | undefined, times: number): void => {
      for (let i = 0; i < times; i++) open(undefined, keyOf, keyOf);
    };
    const tenants = [newUuid(), newUuid(), newUuid(), newUuid()] as const;
    of(tenants[0], 5);
    expect(() => of(tenants[0], 1)).toThrow('Too many open streams');
    of(tenants[1], 5);
    of(tenants[2], 5);
    expect(() => of(tenants[3], 1)).toThrow('Too many open streams');
    of(undefined, 5);
    expect(() => of(undefined, 1)).toThrow('Too many open streams');
    readers.shift()?.emit('close');
    of(tenants[3], 1);
  });
});

describe('streams of server-sent events', () => {
  it('end with their key, their tenant, or the time that their key is given', () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] });
    const { sse } = new StatsFixture();
    const [a, b] = [newUuid(), newUuid()];
    const readers = [new FakeReader(), new FakeReader(), new FakeReader()] as const;
    const [first, second, third] = [
      sse.openStream(readers[0].reply, callerOf(a)),
      sse.openStream(readers[1].reply, callerOf(b)),
      sse.openStream(readers[2].reply, callerOf()),
    ];
    const isOver = (): boolean[] =>
      [first, second, third].map(({ body }) => body.read() === null && body.readableEnded);
    const ends: string[] = [];
    [first, second, third].forEach((stream, i) => stream.onClose((why) => ends.push(`${i} ${why}`)));
    [first, second, third].forEach(({ body }) => body.resume());
    expect(sse.tenants).toEqual([a, b]);
    sse.endOf(a, 'another key');
    sse.endAt(b, 'key', Date.now() + 5000);
    // The same change is told again and again.
    sse.endAt(b, 'key', Date.now() + 5000);
    jest.advanceTimersByTime(4999);
    expect(isOver()).toEqual([false, false, false]);
    sse.endOf(a, 'key');
    jest.advanceTimersByTime(1);
    readers.forEach((reader) => reader.emit('close'));
    expect(ends).toEqual(['0 expired', '1 expired', '2 client']);
    expect(sse.tenants).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
    jest.useRealTimers();
  });
});

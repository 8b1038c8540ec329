import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import { encodeFrame } from '../transport/wire';
import { CacheMemory } from './cache-memory';
import type { RecentMessage } from './ports';
import { CachedPage, CacheRead, MOST_CACHED, RoomCache } from './room-cache';

interface Change {
  readonly rev: number;
  /** Of a new message, or of the one that was edited. */
  readonly seq?: number;
  readonly isEdit?: boolean;
  readonly firstSeq?: number;
}

type Step =
  | { readonly do: 'message' | 'edit' | 'other' | 'trim' | 'clear' | 'see'; readonly nth: number }
  | { readonly do: 'deliver'; readonly isFramed: boolean }
  | { readonly do: 'read' | 'fill' | 'take'; readonly nth: number; readonly length: number };

const kinds = fc.constantFrom('message', 'message', 'message', 'edit', 'other', 'see', 'see');
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: kinds, nth: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('trim' as const, 'clear' as const), nth: fc.nat(9) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), isFramed: fc.boolean() }) },
  {
    weight: 9,
    arbitrary: fc.record({
      do: fc.constantFrom('read' as const, 'fill' as const, 'fill' as const, 'take' as const, 'take' as const),
      nth: fc.nat(9),
      length: fc.integer({ min: 1, max: 6 }),
    }),
  },
);

const textOf = (seq: number, rev: number): string => JSON.stringify({ type: 'message', seq, rev });
const messageOf = (seq: number, rev: number): RecentMessage => ({
  seq,
  rev,
  messageId: `id${seq}`,
  text: textOf(seq, rev),
});
const framed = (message: RecentMessage) => ({ message, frame: encodeFrame(message.text) });

/** What a page holds, as its receivers read it. */
function read(page: CachedPage): { seq: number; rev: number }[] {
  const bytes = page.joined();
  const found: { seq: number; rev: number }[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at + 1] ?? 0;
    const from = at + 2;
    at = from + length;
    found.push(JSON.parse(bytes.toString('utf8', from, at)) as { seq: number; rev: number });
  }
  return found;
}

/** A read of the log: what it has seen, and what the cache was told when it began. */
interface Read {
  readonly read: CacheRead;
  readonly from: number;
  readonly to: number;
  rows: RecentMessage[] | undefined;
}

/** A room whose every change is remembered, and a cache that hears of them late and reads in between. */
class Play {
  readonly cache = new RoomCache(0, () => undefined);
  readonly faults: string[] = [];
  private readonly changes: Change[] = [];
  private seqs = 0;
  private firstSeq = 1;
  private delivered = 0;
  private deliveredSeq = 0;
  private reads: Read[] = [];

  step(each: Step): void {
    if (each.do === 'message') this.changes.push({ rev: this.changes.length + 1, seq: ++this.seqs });
    else if (each.do === 'other') this.changes.push({ rev: this.changes.length + 1 });
    else if (each.do === 'edit') this.edit(each.nth);
    else if (each.do === 'trim') this.trim(each.nth);
    else if (each.do === 'deliver') this.deliver(each.isFramed);
    else if (each.do === 'clear') this.cache.clear();
    else if (each.do === 'see') this.see(this.reads[each.nth % Math.max(1, this.reads.length)]);
    else if (each.do === 'read') this.begin(each.nth, each.length);
    else if (each.do === 'fill') this.fill(each.nth);
    else if (each.do === 'take') this.take(each.nth, each.length);
  }

  private edit(nth: number): void {
    if (this.seqs > 0) this.changes.push({ rev: this.changes.length + 1, seq: 1 + (nth % this.seqs), isEdit: true });
  }

  private trim(nth: number): void {
    if (this.firstSeq >= this.seqs) return;
    this.firstSeq += 1 + (nth % (this.seqs - this.firstSeq));
    this.changes.push({ rev: this.changes.length + 1, firstSeq: this.firstSeq });
  }

  private deliver(isFramed: boolean): void {
    const change = this.changes[this.delivered];
    if (change === undefined) return;
    this.delivered++;
    const { rev, seq, isEdit, firstSeq } = change;
    if (seq !== undefined && isEdit !== true) {
      this.deliveredSeq = seq;
      this.cache.delivered({ rev, seq, messageId: `id${seq}` }, isFramed ? encodeFrame(textOf(seq, rev)) : undefined);
    } else
      this.cache.delivered(
        { rev, ...(seq === undefined ? {} : { changedSeq: seq }), ...(firstSeq === undefined ? {} : { firstSeq }) },
        undefined,
      );
  }

  /** The message as it was when the room was at this revision. */
  private revOf(seq: number, at: number): number {
    return this.changes.slice(0, at).findLast((change) => change.seq === seq)?.rev ?? 0;
  }

  private begin(nth: number, length: number): void {
    const from = 1 + (nth % Math.max(1, this.seqs));
    this.reads.push({ read: this.cache.beginRead(), from, to: from + length - 1, rows: undefined });
  }

  private see(read: Read | undefined): void {
    if (read === undefined || read.rows !== undefined) return;
    const rows: RecentMessage[] = [];
    for (let seq = Math.max(read.from, this.firstSeq); seq <= Math.min(read.to, this.seqs); seq++)
      rows.push(messageOf(seq, this.revOf(seq, this.changes.length)));
    read.rows = rows;
  }

  private fill(nth: number): void {
    const [read] = this.reads.splice(nth % Math.max(1, this.reads.length), 1);
    if (read === undefined) return;
    this.see(read);
    this.cache.fill(read.read, (read.rows ?? []).map(framed));
  }

  private take(nth: number, length: number): void {
    if (this.deliveredSeq === 0) return;
    const afterSeq = nth % this.deliveredSeq;
    const range = { afterSeq, throughSeq: Math.min(afterSeq + length, this.deliveredSeq) };
    const found = this.cache.take(range, 1000, { rev: this.delivered, seq: this.deliveredSeq });
    if (!(found instanceof CachedPage)) return;
    read(found).forEach(({ seq, rev }, i) => {
      if (seq !== afterSeq + 1 + i) this.faults.push(`${seq} stands in place ${i} after ${afterSeq}`);
      if (rev > this.delivered) this.faults.push(`${seq} was told at ${rev}, before ${this.delivered}`);
      const last = this.revOf(seq, this.delivered);
      if (rev < last) this.faults.push(`${seq} was told as it was at ${rev}, after its change at ${last}`);
    });
    if (found.frames === 0 || found.throughSeq > range.throughSeq) this.faults.push('not the range');
  }
}

function play(steps: readonly Step[]): string[] {
  const game = new Play();
  for (const each of steps) game.step(each);
  return game.faults;
}

const law = fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => play(steps).length === 0);

describe('the newest messages of a room in memory', () => {
  afterEach(() => jest.restoreAllMocks());

  it('are told as the channel has them: no change before its place, none left out, in their order', () => {
    fc.assert(law, { numRuns: runs(3000) });
  });

  it.each([
    ['what was read before a change counts', () => jest.spyOn(CacheRead.prototype, 'isGood').mockReturnValue(true)],
    [
      'a change is no reason to forget a message',
      () => jest.spyOn(RoomCache.prototype as unknown as { drop(): void }, 'drop').mockReturnValue(undefined),
    ],
    [
      'a page is told wherever the channel is',
      () => {
        const take = RoomCache.prototype.take;
        jest.spyOn(RoomCache.prototype, 'take').mockImplementation(function (this: RoomCache, range, most, { seq }) {
          return take.call(this, range, most, { rev: Infinity, seq });
        });
      },
    ],
  ])('(the law finds it where %s)', (_, doctor) => {
    doctor();
    expect(fc.check(law, { numRuns: 3000 }).failed).toBe(true);
  });

  const filled = (from: number, to: number, size = 0): RoomCache => {
    const cache = new RoomCache(0, () => undefined);
    const rows = Array.from({ length: to - from + 1 }, (_, i) => {
      const message = messageOf(from + i, from + i);
      return framed({ ...message, text: message.text + ' '.repeat(size) });
    });
    cache.fill(cache.beginRead(), rows);
    return cache;
  };
  const AT = { rev: 1e9, seq: 1e9 };

  it('are the same bytes for all, in one piece where they were read together', () => {
    const cache = filled(1, 100);
    const page = cache.take({ afterSeq: 10, throughSeq: 100 }, 1e6, AT) as CachedPage;
    expect(page.shared).toHaveLength(1);
    expect(cache.take({ afterSeq: 10, throughSeq: 100 }, 1e6, AT)).toBe(page);
    const other = cache.take({ afterSeq: 20, throughSeq: 100 }, 1e6, AT) as CachedPage;
    expect(other.shared[0]?.buffer).toBe(page.shared[0]?.buffer);
    expect(other.lastId).toBe('id100');
  });

  it('are told in pages of so many bytes, at least one message each', () => {
    const cache = filled(1, 10, 100);
    const one = cache.take({ afterSeq: 0, throughSeq: 10 }, 1, AT) as CachedPage;
    expect([one.frames, one.throughSeq]).toEqual([1, 1]);
    const some = cache.take({ afterSeq: 1, throughSeq: 10 }, 3 * one.bytes, AT) as CachedPage;
    expect(some.throughSeq).toBeLessThan(10);
    expect(some.frames).toBeGreaterThan(1);
  });

  it('ask for what is missing alone', () => {
    const cache = filled(1, 10);
    cache.delivered({ rev: 11, changedSeq: 4 }, undefined);
    expect((cache.take({ afterSeq: 0, throughSeq: 10 }, 1e6, AT) as CachedPage).throughSeq).toBe(3);
    expect(cache.take({ afterSeq: 3, throughSeq: 10 }, 1e6, AT)).toEqual({ missing: { afterSeq: 3, throughSeq: 4 } });
  });

  it('are a thousand, however many are said', () => {
    const cache = filled(1, 3);
    for (let seq = 4; seq <= 3 * MOST_CACHED; seq++)
      cache.delivered({ rev: seq, seq, messageId: `id${seq}` }, encodeFrame(textOf(seq, seq)));
    expect(cache.mayHold({ afterSeq: 2 * MOST_CACHED, throughSeq: 1 }, 3 * MOST_CACHED)).toBe(true);
    expect(cache.between({ afterSeq: 2 * MOST_CACHED, throughSeq: 3 * MOST_CACHED }, AT)).toHaveLength(MOST_CACHED);
    expect(cache.take({ afterSeq: 2 * MOST_CACHED - 1, throughSeq: 3 * MOST_CACHED }, 1, AT)).toHaveProperty('missing');
    expect(cache.bytes).toBeLessThan(MOST_CACHED * 400 + 2 * 64 * 1024);
    cache.clear();
    expect(cache.bytes).toBe(0);
  });

  it.each([1, 125, 126, 65_000])('have their text again, of %s characters', (length) => {
    const cache = new RoomCache(0, () => undefined);
    const text = 'ö'.repeat(Math.floor(length / 2)) + 'x'.repeat(length % 2);
    cache.fill(cache.beginRead(), [framed({ seq: 1, rev: 1, messageId: 'id1', text })]);
    expect(cache.between({ afterSeq: 0, throughSeq: 1 }, AT)?.map((message) => message.text)).toEqual([text]);
  });

  it('are not what is larger than 64 KB', () => {
    const cache = filled(1, 2);
    cache.delivered({ rev: 3, seq: 3, messageId: 'id3' }, encodeFrame('x'.repeat(64 * 1024)));
    expect(cache.take({ afterSeq: 2, throughSeq: 3 }, 1e6, AT)).toHaveProperty('missing');
    expect(cache.idOf(3)).toBe('id3');
  });

  describe('within their bounds', () => {
    const MEGABYTE = 1024 * 1024;
    /** About 100 KB. */
    const some = (memory: CacheMemory, tenant: string): RoomCache => {
      const cache = filled(1, 100, 900);
      memory.used(tenant, cache);
      return cache;
    };

    it('leave room for other tenants, the longest unused first', () => {
      const memory = new CacheMemory({ cacheMegabytes: 1 });
      const other = some(memory, 'other');
      const rooms = Array.from({ length: 8 }, () => some(memory, 'busy'));
      expect(other.isEmpty).toBe(false);
      expect(rooms.map(({ isEmpty }) => isEmpty)).toEqual([true, true, true, true, true, true, false, false]);
      expect(memory.bytes()).toBeLessThan(MEGABYTE);
    });

    it('are kept within the whole, the tenant that was active longest ago going first', () => {
      const memory = new CacheMemory({ cacheMegabytes: 1 });
      const rooms = Array.from({ length: 12 }, (_, n) => some(memory, `tenant${n}`));
      expect(memory.bytes()).toBeLessThanOrEqual(MEGABYTE);
      expect(rooms[0]?.isEmpty).toBe(true);
      expect(rooms.at(-1)?.isEmpty).toBe(false);
      memory.clear();
      expect(memory.bytes()).toBe(0);
      expect(rooms.every(({ isEmpty }) => isEmpty)).toBe(true);
    });

    it('count what rooms have grown to since they were counted first', () => {
      const memory = new CacheMemory({ cacheMegabytes: 1 });
      const caches = Array.from({ length: 6 }, (_, n) => [`tenant${n}`, filled(1, 1, 900)] as const);
      const rows = Array.from({ length: 200 }, (_, n) => framed({ ...messageOf(n + 2, n + 2), text: 'x'.repeat(900) }));
      for (const [tenant, cache] of caches) memory.used(tenant, cache);
      for (const [tenant, cache] of caches) {
        cache.fill(cache.beginRead(), rows);
        memory.used(tenant, cache);
      }
      const held = caches.reduce((sum, [, cache]) => sum + cache.bytes, 0);
      expect(memory.bytes()).toBe(held);
      expect(held).toBeLessThanOrEqual(MEGABYTE);
      expect(caches.map(([, { isEmpty }]) => isEmpty)).toEqual([true, true, false, false, false, false]);
    });

    it.each([[0], [1]])('hold nothing of a room that is too large (%s MB)', (cacheMegabytes) => {
      const memory = new CacheMemory({ cacheMegabytes });
      const cache = filled(1, 100, 9000);
      memory.used('tenant', cache);
      expect([cache.isEmpty, memory.bytes()]).toEqual([true, 0]);
    });
  });
});

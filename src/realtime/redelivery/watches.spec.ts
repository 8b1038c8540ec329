import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import { MAX_ATTEMPTS, MOST_AT_ONCE, RoomWatch, type Step } from './watches';

const WAIT = 30_000;

/** The same, kept message by message. */
class Model {
  readonly counts = new Map<number, number>();
  private dueAt: number;

  constructor(
    private last: number,
    floor: number,
    now: number,
  ) {
    for (let seq = floor + 1; seq <= last; seq++) this.counts.set(seq, 1);
    this.dueAt = now + WAIT;
  }

  get seqs(): number[] {
    return [...this.counts.keys()].sort((a, b) => a - b);
  }

  see(through: number): void {
    for (; this.last < through; this.counts.set(this.last, 1)) this.last++;
  }

  ack(seq: number, now: number): void {
    if (!this.counts.has(seq)) return;
    this.remove(seq);
    for (const left of this.counts.keys()) this.counts.set(left, 1);
    this.dueAt = now + WAIT;
  }

  /** What is due now: seqs to give up on, or to send. */
  due(now: number): { readonly kind: Step['kind']; readonly seqs: number[] } | undefined {
    if (now < this.dueAt || this.counts.size === 0) return undefined;
    const lost = this.seqs.filter((seq) => (this.counts.get(seq) ?? 0) >= MAX_ATTEMPTS);
    return lost.length > 0 ? { kind: 'give up', seqs: lost } : { kind: 'send', seqs: this.seqs.slice(0, MOST_AT_ONCE) };
  }

  sent(seqs: readonly number[], now: number): void {
    for (const seq of seqs) this.counts.set(seq, (this.counts.get(seq) ?? 0) + 1);
    const oldest = this.counts.get(this.seqs[0] ?? 0) ?? 1;
    this.dueAt = now + WAIT * 2 ** (oldest - 1);
  }

  gaveUp(seq: number, now: number): void {
    this.remove(seq);
    this.dueAt = now + WAIT;
  }

  private remove(through: number): void {
    for (const seq of this.seqs) if (seq <= through) this.counts.delete(seq);
  }
}

type Op =
  | { readonly do: 'more'; readonly count: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'ack'; readonly part: number }
  /** The attempt breaks off after so many of its messages. */
  | { readonly do: 'cut'; readonly part: number };

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 2, arbitrary: fc.nat(150).map((count): Op => ({ do: 'more', count })) },
  { weight: 8, arbitrary: fc.constantFrom(WAIT / 3, WAIT, 9 * WAIT, 20 * WAIT).map((ms): Op => ({ do: 'pass', ms })) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((part): Op => ({ do: 'ack', part })) },
  { weight: 1, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((part): Op => ({ do: 'cut', part })) },
);

const range = ({ after, through }: Step): number[] => Array.from({ length: through - after }, (_, i) => after + 1 + i);

describe('RoomWatch', () => {
  it('sends and gives up as if each message were counted', () => {
    fc.assert(
      fc.property(fc.nat(150), fc.array(op, { maxLength: 60 }), (first, ops) => {
        let now = 0;
        let last = first + 1;
        const watch = new RoomWatch(0, last, WAIT, now);
        const model = new Model(last, 0, now);
        for (const each of ops) {
          if (each.do === 'more') {
            last += each.count;
            watch.see(last);
            model.see(last);
          } else if (each.do === 'ack') {
            const seq = model.seqs[Math.floor(each.part * (model.counts.size - 1))] ?? 0;
            watch.moved(seq, now);
            model.ack(seq, now);
          } else if (each.do === 'pass') now += each.ms;
          const step = watch.isDue(now) ? watch.next() : undefined;
          const due = model.due(now);
          for (const seq of [model.seqs[0] ?? 1, Math.ceil(last / 2), last])
            expect([seq, watch.timesSent(seq)]).toEqual([seq, model.counts.get(seq)]);
          expect(watch.timesSent(last + 1)).toBeUndefined();
          expect(step && { kind: step.kind, seqs: range(step) }).toEqual(due);
          expect(watch.settledThrough === undefined).toBe(model.counts.size > 0);
          if (step?.kind === 'give up') {
            watch.gaveUp(step, now);
            model.gaveUp(step.through, now);
          } else if (step !== undefined && due !== undefined) {
            const share = each.do === 'cut' ? each.part : 1;
            const sent = due.seqs.slice(0, Math.ceil(share * due.seqs.length));
            watch.sentAgain(step, sent.at(-1) ?? step.after, now);
            model.sent(sent, now);
          }
        }
      }),
      { numRuns: runs(500) },
    );
  });

  it('waits 30, 60, 120 and 240 s for the next sending, and gives up 480 s after the fifth', () => {
    const watch = new RoomWatch(0, 1, WAIT, 0);
    const times: number[] = [];
    let now = 0;
    for (let step: Step | undefined; step?.kind !== 'give up'; now += 1000) {
      step = watch.isDue(now) ? watch.next() : undefined;
      if (step === undefined) continue;
      times.push(now / 1000);
      watch.sentAgain(step, 1, now);
    }
    expect(times).toEqual([30, 90, 210, 450, 930]);
  });

  it('does nothing about a step that the cursor has overtaken', () => {
    const watch = new RoomWatch(0, 3, WAIT, 0);
    const step = watch.next() as Step;
    watch.moved(1, 10);
    expect(watch.wants(step)).toBe(false);
    watch.sentAgain(step, 3, 20);
    watch.gaveUp(step, 20);
    expect(watch.isDue(10 + WAIT)).toBe(true);
    expect(watch.next()).toMatchObject({ kind: 'send', after: 1, through: 3 });
  });

  it('knows nothing to do before it knows the cursor, whose first finding is no progress', () => {
    const watch = new RoomWatch(undefined, 5, WAIT, 0);
    expect([watch.next(), watch.settledThrough]).toEqual([undefined, undefined]);
    watch.found(2, WAIT);
    expect(watch.isDue(WAIT)).toBe(true);
    expect(watch.next()).toMatchObject({ after: 2, through: 5 });
    watch.found(3, WAIT);
    expect(watch.isDue(WAIT)).toBe(false);
    watch.found(3, 2 * WAIT);
    expect(watch.isDue(2 * WAIT)).toBe(true);
  });
});

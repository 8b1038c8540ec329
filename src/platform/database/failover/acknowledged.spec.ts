import fc from 'fast-check';
import { runs } from '../../../../test/support/timing';
import { LastBatches } from '../../../modules/messages/appender/appender';
import { AcknowledgedChanges } from './acknowledged';

const MESSAGE = { tenantId: 't', roomId: 'r' };

/** Transactions of several writers: each begins, is committed, and is acknowledged, in any order of all those steps. */
interface Written {
  readonly what: 'message' | 'mark' | 'change';
  readonly steps: readonly [begun: number, committed: number, acknowledged: number];
}

const times = fc
  .uniqueArray(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 3, maxLength: 3 })
  .map((three) => three.sort((a, b) => a - b) as [number, number, number]);

const written: fc.Arbitrary<Written> = fc.record({
  what: fc.constantFrom('message', 'message', 'mark', 'change'),
  steps: times,
});

/** The watch stores one mark after the other; messages and changes come from anywhere. */
function inTurns(all: readonly Written[]): Written[] {
  let free = 0;
  return [...all]
    .sort((a, b) => a.steps[0] - b.steps[0])
    .filter(({ what, steps }) => {
      if (what !== 'mark') return true;
      if (steps[0] < free) return false;
      free = steps[2];
      return true;
    });
}

/** As the messages module remembers its batches. */
class Remembered {
  now = 0;
  readonly acknowledged = new AcknowledgedChanges(() => this.now);
  private readonly batches = new LastBatches();

  constructor() {
    const countMissing = (): Promise<number> => Promise.resolve(0);
    this.acknowledged.rememberedBy({ last: () => this.batches.all, countMissing });
    this.acknowledged.marked(-1, 'start');
  }

  appended(begunAt: number, id: string): void {
    this.batches.note(begunAt, [{ ...MESSAGE, messageId: id }], this.now);
  }

  mark(): void {
    const begunAt = ++this.now;
    this.now++;
    this.acknowledged.marked(begunAt, 'm');
  }
}

describe('what was acknowledged last', () => {
  it('is what was committed last, or in doubt, whatever ran at the same time', () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 12 }), (all) => {
        const site = new Remembered();
        const inOrder = inTurns(all).sort((a, b) => a.steps[2] - b.steps[2]);
        inOrder.forEach(({ what, steps: [begun, , told] }, i) => {
          site.now = told;
          if (what === 'message') site.appended(begun, `${i}`);
          else if (what === 'mark') site.acknowledged.marked(begun, `${i}`);
          else site.acknowledged.changed();
          const last = inOrder.slice(0, i + 1).reduce((a, b) => (b.steps[1] > a.steps[1] ? b : a));
          const { mark, messages, isInDoubt } = site.acknowledged.last;
          const id = `${inOrder.indexOf(last)}`;
          if (last.what === 'message') expect(messages.map(({ messageId }) => messageId)).toContain(id);
          else if (last.what === 'mark') expect(mark).toBe(id);
          else expect(isInDoubt).toBe(true);
        });
      }),
      { numRuns: runs(2000) },
    );
  });

  it('is few where one writer writes one batch after the other', () => {
    const site = new Remembered();
    for (let n = 0; n < 1000; n++) {
      const begun = ++site.now;
      site.now++;
      site.appended(begun, `${n}`);
    }
    const messages = [{ ...MESSAGE, messageId: '999' }];
    expect(site.acknowledged.last).toEqual({ mark: undefined, messages, isInDoubt: false });
  });

  it('wants a mark while there is doubt, and once after the last message; no message, no mark', () => {
    const site = new Remembered();
    const { acknowledged } = site;
    site.now += 1_000_000;
    expect(acknowledged.wantsMark).toBe(false);
    acknowledged.changed();
    expect(acknowledged.wantsMark).toBe(true);
    site.mark();
    expect(acknowledged.wantsMark).toBe(false);
    site.now++;
    site.appended(site.now, '1');
    expect(acknowledged.wantsMark).toBe(false);
    site.now += 61_000;
    expect(acknowledged.wantsMark).toBe(true);
    site.mark();
    expect([acknowledged.wantsMark, acknowledged.last.messages]).toEqual([false, []]);
  });

  it('is missing where nobody can look it up', async () => {
    const sql = { query: () => Promise.reject(new Error('not to be asked')) };
    const messages = [{ ...MESSAGE, messageId: '1' }];
    expect(await new AcknowledgedChanges().countMissing(sql, messages)).toBe(1);
    expect(await new AcknowledgedChanges().countMissing(sql, [])).toBe(0);
  });
});

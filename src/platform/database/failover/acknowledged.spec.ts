import fc from 'fast-check';
import { runs } from '../../../../test/support/timing';
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

function watched(now: () => number): AcknowledgedChanges {
  const acknowledged = new AcknowledgedChanges(now);
  acknowledged.isWatched = true;
  acknowledged.begin('start');
  return acknowledged;
}

describe('what was acknowledged last', () => {
  it('is what was committed last, or in doubt, whatever ran at the same time', () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 12 }), (all) => {
        let now = -1;
        const acknowledged = watched(() => now);
        const inOrder = inTurns(all).sort((a, b) => a.steps[2] - b.steps[2]);
        inOrder.forEach(({ what, steps: [begun, , told] }, i) => {
          now = told;
          if (what === 'message') acknowledged.appended(begun, [{ ...MESSAGE, messageId: `${i}` }]);
          else if (what === 'mark') acknowledged.marked(begun, `${i}`);
          else acknowledged.changed();
          const told_ = inOrder.slice(0, i + 1);
          const last = told_.reduce((a, b) => (b.steps[1] > a.steps[1] ? b : a));
          const { mark, messages, isInDoubt } = acknowledged.last;
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
    let now = 0;
    const acknowledged = watched(() => now);
    for (let n = 0; n < 1000; n++) {
      const begun = ++now;
      now++;
      acknowledged.appended(begun, [{ ...MESSAGE, messageId: `${n}` }]);
    }
    expect(acknowledged.last).toEqual({
      mark: undefined,
      messages: [{ ...MESSAGE, messageId: '999' }],
      isInDoubt: false,
    });
  });

  it('wants a mark while there is doubt, and once after the last message; no message, no mark', () => {
    let now = 0;
    const acknowledged = watched(() => now);
    const mark = (): void => {
      const begun = ++now;
      now++;
      acknowledged.marked(begun, 'm');
    };
    now += 1_000_000;
    expect(acknowledged.wantsMark).toBe(false);
    acknowledged.changed();
    expect(acknowledged.wantsMark).toBe(true);
    mark();
    expect(acknowledged.wantsMark).toBe(false);
    acknowledged.appended(now, [{ ...MESSAGE, messageId: '1' }]);
    expect(acknowledged.wantsMark).toBe(false);
    now += 61_000;
    expect(acknowledged.wantsMark).toBe(true);
    mark();
    expect([acknowledged.wantsMark, acknowledged.last.messages]).toEqual([false, []]);
  });

  it('is missing where nobody can look it up, and nothing at all where nothing is watched', async () => {
    const sql = { query: () => Promise.reject(new Error('not to be asked')) };
    const messages = [{ ...MESSAGE, messageId: '1' }];
    expect(await watched(() => 0).countMissing(sql, messages)).toBe(1);
    expect(await watched(() => 0).countMissing(sql, [])).toBe(0);
    const idle = new AcknowledgedChanges(() => 0);
    idle.appended(0, messages);
    idle.changed();
    expect(idle.last).toEqual({ mark: undefined, messages: [], isInDoubt: false });
  });
});

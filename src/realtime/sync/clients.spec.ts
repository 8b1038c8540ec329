import fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import {
  losslessStep,
  lossyStep,
  ResyncSimulator,
  type ResyncStep,
  parseSteps,
} from '../../../test/support/realtime/resync-simulator';

const RUNS = 500;

/** What went wrong once. */
const STORIES: [what: string, steps: string][] = [
  [
    'a message that a sync has sent was edited while it went on',
    'open 0; answer; message; message; open 3; answer 9; edit 0; fail',
  ],
  [
    'a channel is left by its last one while it has heard of their return',
    'open 3; answer; leave 7; message; message; all; join 7',
  ],
  [
    'who is let in is refused a sync by an answer that is older than that',
    'leave 0; open 0; open 1; all; answer; see; message; join 0',
  ],
  [
    'who asks is let out and in while a page is read',
    'message; open 6; see; message; message; message; message; leave 0; join 0',
  ],
  [
    'a channel is made where a joining has happened of which nobody was told',
    'leave 9; open 3; see; join 3; message; open 0; answer; answer',
  ],
  [
    'a sync begins between two pages of the log, before a message that was edited since',
    'open 0; message; see; message; open 6; message; open 2; leave 0; join 0; answer 10; edit 2; all; all',
  ],
  [
    'a sync is refused before the removal was told',
    'leave 0; message; message; message; open 6; join 0; message; answer; all; see; leave 0; all; answer',
  ],
  [
    'what has been edited lies ahead of a channel that reads the log',
    'open 0; see; message; open 8; answer; answer; message; leave 0; join 0; edit 0; all',
  ],
];

describe('clients that come and go, and are let in and out, while whatever is asked is answered late', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick'] }));
  afterEach(() => jest.useRealTimers());

  async function play(steps: readonly ResyncStep[], isLossy: boolean): Promise<void> {
    const game = new ResyncSimulator();
    try {
      await game.run(steps);
      await game.settle();
      if (isLossy) await game.find();
      expect(game.verdict()).toEqual([]);
    } finally {
      game.stop();
    }
  }

  const law = (step: fc.Arbitrary<ResyncStep>, isLossy: boolean): Promise<void> => {
    const steps = fc.array(step, { maxLength: 80, size: 'max' });
    return fc.assert(
      fc.asyncProperty(steps, (all) => play(all, isLossy)),
      { numRuns: runs(RUNS) },
    );
  };

  it.each(STORIES)('lose nothing when %s', (_, steps) => play(parseSteps(steps), false));

  it('have in the end what there is, without a poll, where no hint is lost', () => law(losslessStep, false));

  it('have it after a poll, where hints are lost', () => law(lossyStep, true));
});

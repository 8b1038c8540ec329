import fc from 'fast-check';
import { FeedSimulator } from '../../../test/support/cluster/feed-simulator';
import { runs } from '../../../test/support/timing';

const STEPS = 10_000;

describe('the feed of five nodes on a bus that loses, doubles and swaps hints', () => {
  // What fails prints its seed: `examples: [[seed]]` plays it again.
  it('ends with every connection complete and in order, after each silence', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const simulator = new FeedSimulator(seed);
        try {
          await simulator.run(STEPS);
        } finally {
          simulator.stop();
        }
        const { commits, opened, lost, crashes, frames } = simulator.counts;
        expect([commits > 2000, opened > 300, lost > 1000, crashes > 20, frames > 500]).toEqual(
          Array.from({ length: 5 }, () => true),
        );
      }),
      { numRuns: runs(2), endOnFailure: true },
    );
  });
});

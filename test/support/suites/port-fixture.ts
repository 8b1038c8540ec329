import { MAX_WAIT_MS } from '../timing';
/** An implementation of a cluster port as the shared suites use it. */
export interface PortFixture<T> {
  readonly port: T;
  /** Moves the implementation's time: a manual clock, or a real wait where time is another process's. */
  readonly advance: (ms: number) => Promise<void> | void;
  readonly close: () => Promise<void> | void;
}

/** A harness whose port another node of the same cluster shares. */
export interface PeerFixture<T> extends PortFixture<T> {
  readonly peer: T;
  /** What was reported of handlers that threw, on either node. */
  readonly errors: readonly unknown[];
}

/** Makes a fresh implementation, with nothing in it from an earlier test. */
export type MakeFixture<H> = () => Promise<H> | H;

/** Repeats a check until it passes, for what arrives asynchronously; fails with its last error. */
export async function untilPasses(check: () => void): Promise<void> {
  const deadline = performance.now() + MAX_WAIT_MS;
  for (;;) {
    try {
      check();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Defines a test that gets a fresh harness and closes it, whatever happens. */
export function testsOf<H extends Pick<PortFixture<unknown>, 'close'>>(
  make: MakeFixture<H>,
): (name: string, run: (harness: H) => Promise<void>) => void {
  return (name, run) => {
    it(name, async () => {
      const harness = await make();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  };
}

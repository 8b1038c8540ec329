import type { Answer } from './http/api';

/** What an answer says about the limit; undefined where the headers are left out. */
export interface RateState {
  readonly status: number;
  readonly limit: number;
  readonly remaining: number;
  /** Unix seconds at which the window ends; tells windows apart. */
  readonly reset: number;
}

const NAMES = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'] as const;

/** Reads the three headers; throws when only some of them are there, or one is no whole number. */
export function rateOf(answer: Pick<Answer<unknown>, 'status' | 'headers'>): RateState | undefined {
  const texts = NAMES.map((name) => answer.headers.get(name));
  if (texts.every((text) => text === null)) return undefined;
  const [limit, remaining, reset] = texts.map((text) => {
    if (text === null || !/^\d+$/.test(text)) throw new Error(`bad rate headers: ${JSON.stringify(texts)}`);
    return Number(text);
  });
  return { status: answer.status, limit: limit ?? NaN, remaining: remaining ?? NaN, reset: reset ?? NaN };
}

/** Sorts answers, given in the order of the calls, by the window that they counted in. */
export function byWindow(states: readonly RateState[]): RateState[][] {
  const windows = new Map<number, RateState[]>();
  for (const state of states) {
    const window = windows.get(state.reset);
    if (window) window.push(state);
    else windows.set(state.reset, [state]);
  }
  return [...windows.values()];
}

/**
 * Calls one after the other until `enough` calls fell into one window, and returns that window's states: what they
 * say about each other then does not depend on when the test runs.
 */
export async function withinOneWindow(
  calls: () => Promise<RateState[]>,
  enough: (window: readonly RateState[]) => boolean,
  rounds = 50,
): Promise<RateState[]> {
  for (let round = 0; round < rounds; round++) {
    const states = await calls();
    const [window, ...others] = byWindow(states);
    if (window && others.length === 0 && enough(window)) return window;
  }
  throw new Error(`no ${rounds} rounds of calls stayed within one window`);
}

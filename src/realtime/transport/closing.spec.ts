import { reconnectSpreadMs } from './closing';

describe('over how long the connections of a stopping server come back', () => {
  it.each([
    // To its successor: 200 a second, and never longer than the settings say.
    [0, 0, 5000, 0],
    [100, 0, 5000, 500],
    [10_000, 0, 5000, 5000],
    [10_000, 0, 0, 0],
    // To those that stay: 200 a second each, however long that takes.
    [100, 2, 5000, 500],
    [10_000, 1, 5000, 50_000],
    [10_000, 2, 5000, 25_000],
    [10_000, 10, 5000, 5000],
    [10_000, 50, 5000, 5000],
    [10_000, 50, 0, 1000],
  ])('%i of them, with %i other nodes and a setting of %i ms: %i ms', (connections, others, mostMs, expected) => {
    expect(reconnectSpreadMs(connections, others, mostMs)).toBe(expected);
  });
});

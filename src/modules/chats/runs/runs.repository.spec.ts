import { unavailable } from '../../../common/errors';
import { retryWhileAway } from './runs.repository';

describe('patience', () => {
  const never = new AbortController().signal;
  const failing = (...errors: Error[]): (() => Promise<number>) => {
    let n = 0;
    return () => {
      const error = errors[n++];
      return error === undefined ? Promise.resolve(n) : Promise.reject(error);
    };
  };

  it('outlasts a database that is away', async () => {
    expect(await retryWhileAway(never, failing(unavailable('away'), unavailable('away')))).toBe(3);
  });

  it('has none with other errors, nor once the signal has aborted', async () => {
    await expect(retryWhileAway(never, failing(new Error('broken')))).rejects.toThrow('broken');
    await expect(retryWhileAway(AbortSignal.abort(), failing(unavailable('away')))).rejects.toThrow('away');
  });
});

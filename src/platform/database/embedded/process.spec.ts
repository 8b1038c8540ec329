import { backoffMs, pause, pollUntil, run, settlesWithin } from './process';

describe('pollUntil', () => {
  it('returns the first answer', async () => {
    let asked = 0;
    const probe = async (): Promise<string | undefined> => {
      asked += 1;
      return asked === 3 ? 'yes' : undefined;
    };
    expect(await pollUntil(probe, { everyMs: 1, forMs: 5_000 })).toBe('yes');
    expect(asked).toBe(3);
  });

  it('gives up when the time is over, after at least one question', async () => {
    const probe = jest.fn<Promise<string | undefined>, []>(() => Promise.resolve(undefined));
    expect(await pollUntil(probe, { everyMs: 1, forMs: 0 })).toBeUndefined();
    expect(probe).toHaveBeenCalledTimes(1);
  });

  it('passes on what the probe throws, and an abort', async () => {
    const probe = async (): Promise<undefined> => Promise.reject(new Error('no'));
    await expect(pollUntil(probe, { everyMs: 1, forMs: 100 })).rejects.toThrow('no');
    const abort = new AbortController();
    const polling = pollUntil(async () => undefined, { everyMs: 60_000, forMs: 60_000, signal: abort.signal });
    abort.abort();
    await expect(polling).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('settlesWithin', () => {
  it('is true for a promise that settles, either way', async () => {
    expect(await settlesWithin(Promise.resolve(), 5_000)).toBe(true);
    expect(await settlesWithin(Promise.reject(new Error('no')), 5_000)).toBe(true);
  });

  it('is false for one that does not', async () => {
    expect(await settlesWithin(new Promise(() => undefined), 1)).toBe(false);
  });
});

it('backs off from 100 ms to 5 s', () => {
  expect([0, 1, 2, 5, 6, 1_000].map(backoffMs)).toEqual([100, 200, 400, 3_200, 5_000, 5_000]);
});

it('pauses without a signal, too', async () => {
  await expect(pause(1)).resolves.toBeUndefined();
});

describe('run', () => {
  it('reports what a program said, and keeps our environment from it', async () => {
    // jest sets both of these for us.
    const script = 'echo out; echo err >&2; env | grep -cE "^(NODE_ENV|JEST_WORKER_ID)="; exit 3';
    expect(await run(['sh', '-c', script])).toEqual({ code: 3, stdout: 'out\n0\n', stderr: 'err\n' });
  });

  it('never rejects and never waits for ever', async () => {
    expect(await run(['/nonexistent/program'])).toMatchObject({ code: undefined, failure: 'ENOENT' });
    expect((await run(['sleep', '60'], { timeoutMs: 20 })).code).toBeUndefined();
    const abort = new AbortController();
    const running = run(['sleep', '60'], { signal: abort.signal });
    abort.abort();
    expect((await running).code).toBeUndefined();
  });
});

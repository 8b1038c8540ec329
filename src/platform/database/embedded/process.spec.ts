import { run } from './process';

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

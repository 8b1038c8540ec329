import { ManualEventLoop } from '../../../test/support/realtime/manual-event-loop';
import { loadConfig } from '../../config';
import { SilentLog } from '../../platform/logging';
import { Metrics } from '../../platform/metrics';
import { ReconnectPacer } from './reconnect-pacer';
import { TooManyAtOnce, UpgradePace } from './upgrade-pace';

/** Work that ends when the test says so. */
class Job {
  begun = false;
  end: () => void = () => undefined;
  readonly run = (): Promise<void> => {
    this.begun = true;
    return new Promise((resolve) => (this.end = resolve));
  };
}

describe('the pace of upgrades', () => {
  let loop: ManualEventLoop;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
    loop = new ManualEventLoop();
  });
  afterEach(() => jest.useRealTimers());

  const paceOf = (atOnce: number, waiting: number): UpgradePace => {
    const env = { WS_UPGRADES_AT_ONCE: `${atOnce}`, WS_UPGRADES_WAITING: `${waiting}` };
    const { socket } = loadConfig(env);
    return new UpgradePace(socket, new ReconnectPacer(loop.clock, loop, socket, new Metrics(new SilentLog())));
  };
  const wanted = (): boolean => true;
  const turn = (): Promise<void> => loop.idle(5);

  it('has so many in work, lets so many wait, and refuses the rest at once', async () => {
    const pace = paceOf(2, 3);
    const jobs = Array.from({ length: 5 }, () => new Job());
    const done = jobs.map((job) => pace.run(wanted, job.run));
    const refused = new Job();
    await expect(pace.run(wanted, refused.run)).rejects.toMatchObject({ status: 503 });
    expect(refused.begun).toBe(false);
    await turn();
    expect(jobs.map(({ begun }) => begun)).toEqual([true, true, false, false, false]);
    jobs[1]?.end();
    await turn();
    expect(jobs.map(({ begun }) => begun)).toEqual([true, true, true, false, false]);
    const late = new Job();
    const lateDone = pace.run(wanted, late.run);
    for (const job of [...jobs, late]) {
      job.end();
      await turn();
      job.end();
      await turn();
    }
    await Promise.all([...done, lateDone]);
  });

  it('goes on after work that failed, and passes over what nobody wants any more', async () => {
    const pace = paceOf(1, 5);
    const [first, gone, last] = [new Job(), new Job(), new Job()];
    const failing = pace.run(wanted, () => first.run().then(() => Promise.reject(new Error('failed'))));
    const unwanted = pace.run(() => false, gone.run);
    const lastDone = pace.run(wanted, last.run);
    await turn();
    first.end();
    await expect(failing).rejects.toThrow('failed');
    await unwanted;
    expect([gone.begun, last.begun]).toEqual([false, true]);
    last.end();
    await lastDone;
  });

  it('refuses who has waited for 20 s, and tells them to come back at different times', async () => {
    const pace = paceOf(1, 50);
    const first = new Job();
    const done = pace.run(wanted, first.run);
    const others = Array.from({ length: 50 }, () => pace.run(wanted, new Job().run).catch((error: unknown) => error));
    await turn();
    await loop.idle(20_000);
    const errors = await Promise.all(others);
    // The place of the work that took so long is free again afterwards.
    first.end();
    await done;
    const next = new Job();
    const nextDone = pace.run(wanted, next.run);
    await turn();
    next.end();
    await nextDone;
    const seconds = errors.map((error) => (error instanceof TooManyAtOnce ? error.retryAfterSeconds : 0));
    for (const each of seconds) expect([1, 2, 3, 4, 5]).toContain(each);
    expect(new Set(seconds).size).toBeGreaterThan(1);
  });
});

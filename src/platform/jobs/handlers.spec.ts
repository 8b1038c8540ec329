import { IsInt, IsOptional } from 'class-validator';
import { explorerOf } from '../../../test/support/providers';
import { Validator } from '../validation';
import { outcomeOf } from './outcome';
import { JobHandler, JobHandlers, type JobHandlerOptions } from './handlers';
import { type BoundRunner, DeadJob, type Job, JobKind, type JobRunner } from './job';

class Payload {
  @IsInt()
  n!: number;

  @IsOptional()
  @IsInt()
  more?: number;
}

const KIND = new JobKind('spec.a', Payload);
const OPTIONS: JobHandlerOptions<Payload> = { kind: KIND, schedule: [1000], maxAttempts: 3, concurrency: 1 };

/** Remembers what it was handed. */
class Recorder implements JobRunner<Payload> {
  readonly ran: unknown[] = [];
  readonly died: unknown[] = [];

  run({ payload }: Job<Payload>): Promise<void> {
    this.ran.push(payload);
    return Promise.resolve();
  }

  onDead({ payload }: Job<Payload>, error: string): Promise<void> {
    this.died.push([payload, error]);
    return Promise.resolve();
  }
}

@JobHandler(OPTIONS)
class First extends Recorder {}

@JobHandler(OPTIONS)
class Second extends Recorder {}

function withNumbers(wrong: Partial<JobHandlerOptions<Payload>>): Recorder {
  @JobHandler({ ...OPTIONS, ...wrong })
  class Wrong extends Recorder {}
  return new Wrong();
}

function boot(...runners: readonly Recorder[]): JobHandlers['all'] {
  const handlers = new JobHandlers(explorerOf(...runners), new Validator());
  handlers.onModuleInit();
  return handlers.all;
}
const jobWith = (payload: unknown): Job => ({
  id: 1,
  tenantId: '0190aaaa-0000-7000-8000-000000000001',
  kind: KIND.name,
  key: 'key',
  payload,
  attempt: 1,
  createdAt: new Date(0),
});

function bound(first = new First()): { readonly first: First; readonly runner: BoundRunner } {
  const runner = boot(first).get(KIND.name);
  if (runner === undefined) throw new Error('the handler was not found');
  return { first, runner };
}

describe('the boot', () => {
  it('finds the handler of a kind', () => {
    const { runner } = bound();
    expect(runner).toMatchObject({ schedule: [1000], maxAttempts: 3, concurrency: 1 });
  });

  it('refuses a second one', () => {
    expect(() => boot(new First(), new Second())).toThrow('Two handlers for jobs of kind spec.a: Second is the second');
  });

  it('refuses a kind that has none', () => {
    expect(() => boot()).toThrow('No handler for jobs of kind spec.a');
  });

  it.each([{ schedule: [] }, { maxAttempts: 0 }, { concurrency: 0.5 }, { perTenant: 0 }, { slots: -1 }])(
    'refuses numbers that would never run a job: %j',
    (wrong) => {
      expect(() => boot(withNumbers(wrong))).toThrow('Jobs of kind spec.a');
    },
  );

  it('takes the schedule of a configuration, with an attempt after each delay and one before', () => {
    @JobHandler({ kind: KIND, concurrency: 1 })
    class Configured extends Recorder {
      readonly schedule = [1, 2, 3];
    }
    expect(boot(new Configured()).get(KIND.name)).toMatchObject({ schedule: [1, 2, 3], maxAttempts: 4 });
  });

  it('takes what a stop leaves its jobs from a configuration, else from its rules', () => {
    @JobHandler({ kind: KIND, schedule: [1], concurrency: 1, drainMs: 5 })
    class Ruled extends Recorder {}
    @JobHandler({ kind: KIND, schedule: [1], concurrency: 1, drainMs: 5 })
    class Configured extends Recorder {
      readonly drainMs = 7;
    }
    expect(boot(new Ruled()).get(KIND.name)?.drainMs).toBe(5);
    expect(boot(new Configured()).get(KIND.name)?.drainMs).toBe(7);
  });

  it('two kinds have two names', () => {
    expect(() => new JobKind('spec.a', Payload)).toThrow('Two kinds of jobs are called spec.a');
  });
});

describe('a payload', () => {
  const signal = new AbortController().signal;

  it('comes as its class says, without what another release has written beside it', async () => {
    const { first, runner } = bound();
    const job = jobWith({ n: 1, more: null, later: 'x' });
    await runner.run(job, signal);
    await runner.onDead?.(job, 'gone');
    expect(first.ran).toEqual([{ n: 1 }]);
    expect(first.died).toEqual([[{ n: 1 }, 'gone']]);
    expect(job.payload).toEqual({ n: 1, more: null, later: 'x' });
  });

  it.each<[unknown, string]>([
    [{}, 'The payload does not fit: n is required'],
    [{ n: 'secret' }, 'The payload does not fit: n must be a whole number'],
    [[1], 'The payload does not fit: It must be a JSON object'],
    [null, 'The payload does not fit: It must be a JSON object'],
  ])('that does not fit ends its job, which is not run and is buried: %j', async (payload, message) => {
    const { first, runner } = bound();
    const failure = await runner.run(jobWith(payload), signal).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DeadJob);
    expect(outcomeOf(failure, 1, runner)).toEqual({ outcome: 'dead', delayMs: 0, error: message });
    await runner.onDead?.(jobWith(payload), message);
    expect(first.ran).toEqual([]);
    expect(first.died).toEqual([[{}, message]]);
  });

  it.each<[unknown, object]>([
    [{ n: 7, more: 'x', later: 1 }, { n: 7 }],
    [{ n: 'x', more: 7 }, { more: 7 }],
    [{ n: null, more: null }, {}],
  ])('that does not fit as a whole is buried with what fits: %j', async (payload, rest) => {
    const { first, runner } = bound();
    await runner.onDead?.(jobWith(payload), 'gone');
    expect(first.died).toEqual([[rest, 'gone']]);
  });
});

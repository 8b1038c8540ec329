import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppError, type FieldError } from '../../common/errors';
import { Explorer, markClass } from '../discovery';
import { Validator } from '../validation';
import { type BoundRunner, DeadJob, fieldsOf, JobKind, type JobRules, type JobRunner } from './job';

export interface JobHandlerOptions<P extends object>
  extends Omit<JobRules, 'schedule' | 'maxAttempts'>, Partial<Pick<JobRules, 'schedule' | 'maxAttempts'>> {
  readonly kind: JobKind<P>;
}

const JOB_HANDLER = Symbol('@JobHandler');

/**
 * Makes a provider what does the jobs of a kind. A job whose payload does not fit the kind's class is dead at once, and
 * `onDead` is called with what fits of it; fields that the class does not have are left out, since another release may have
 * written them.
 */
export function JobHandler<P extends object>(
  options: JobHandlerOptions<P>,
): (target: abstract new (...args: never[]) => JobRunner<P>) => void {
  return markClass(JOB_HANDLER, options);
}

/** Which runner does which kind. The server does not start with two of a kind, with none, or with senseless numbers. */
@Injectable()
export class JobHandlers implements OnModuleInit {
  private byKind: ReadonlyMap<string, BoundRunner> = new Map();

  constructor(
    private readonly explorer: Explorer,
    private readonly validator: Validator,
  ) {}

  onModuleInit(): void {
    const found = new Map<string, BoundRunner>();
    for (const { options, provider, name } of this.explorer.classes<Options, JobRunner>(JOB_HANDLER)) {
      const kind = options.kind.name;
      if (found.has(kind)) throw new Error(`Two handlers for jobs of kind ${kind}: ${name} is the second`);
      found.set(kind, this.bind(options, provider));
    }
    const missing = JobKind.all().filter(({ name }) => !found.has(name));
    if (missing.length > 0)
      throw new Error(`No handler for jobs of kind ${missing.map(({ name }) => name).join(', ')}`);
    this.byKind = found;
  }

  /** By the name of their kind. */
  get all(): ReadonlyMap<string, BoundRunner> {
    return this.byKind;
  }

  private bind({ kind, ...rules }: Options, runner: JobRunner): BoundRunner {
    const schedule = runner.schedule ?? rules.schedule ?? [];
    const maxAttempts = runner.maxAttempts ?? rules.maxAttempts ?? schedule.length + 1;
    const drainMs = runner.drainMs ?? rules.drainMs;
    checkRules(kind.name, { ...rules, schedule, maxAttempts });
    const { read, readable } = this.readerOf(kind);
    return {
      ...rules,
      schedule,
      maxAttempts,
      ...(drainMs === undefined ? {} : { drainMs }),
      run: async (job, signal) => runner.run({ ...job, payload: read(job.payload) }, signal),
      onDead: async (job, error) => runner.onDead?.({ ...job, payload: readable(job.payload) }, error),
    };
  }

  private readerOf(kind: JobKind<object>): PayloadReader {
    const known = Object.keys(this.validator.prepare(kind.payload).properties);
    const checked = (payload: unknown): object => this.validator.body(kind.payload, picked(payload, known), 'It');
    return {
      read: (payload) => {
        try {
          return checked(payload);
        } catch (error) {
          if (error instanceof AppError) throw new DeadJob(`The payload does not fit: ${error.message}`);
          throw error;
        }
      },
      readable: (payload) => {
        try {
          return checked(payload);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          const faulty = faultyFields(error);
          const fits = ([name, value]: [string, unknown]): boolean =>
            known.includes(name) && !faulty.has(name) && value !== null;
          return Object.fromEntries(Object.entries(fieldsOf(payload)).filter(fits));
        }
      },
    };
  }
}

type Options = JobHandlerOptions<object>;

interface PayloadReader {
  /** The payload as its class says it; throws DeadJob where it does not fit. */
  readonly read: (payload: unknown) => object;
  /** Those of its fields that fit, whatever the others are. */
  readonly readable: (payload: unknown) => object;
}

function checkRules(kind: string, { schedule, maxAttempts, concurrency, perTenant = 1, slots = 1 }: JobRules): void {
  if (schedule.length === 0) throw new Error(`Jobs of kind ${kind} have no schedule`);
  for (const number of [maxAttempts, concurrency, perTenant, slots])
    if (!Number.isInteger(number) || number < 1) throw new Error(`Jobs of kind ${kind}: limits are whole numbers ≥ 1`);
}

function picked(payload: unknown, known: readonly string[]): unknown {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([name]) => known.includes(name)));
}

/** The payload's own fields that a refusal names, or holds a fault within. */
function faultyFields({ field, details }: AppError): ReadonlySet<string> {
  const errors = (details?.['errors'] as readonly FieldError[] | undefined) ?? [];
  return new Set([field ?? '', ...errors.map((error) => error.field)].map((path) => path.split(/[.[]/, 1)[0] ?? ''));
}

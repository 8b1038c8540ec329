import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type SchemaFunction, schemaFunction, value } from '../database';
import { Explorer, markClass } from '../discovery';
import { ERASE_STEPS, type EraseStepName } from './table-data';

/** What a batch of an erase is asked with. */
export interface EraseArgs {
  readonly p_user: string;
  /** What stands for the user from now on. */
  readonly p_erased: string;
  /** Where the batch before it came to; left out: the pass begins. */
  readonly p_after?: object | null | undefined;
  /** Rows that it changes, at most; it looks at a few times as many. */
  readonly p_limit: number;
}

/** What a batch of an erase has done. */
export interface EraseBatch {
  /** Rows by what they are, as the certificate tells them. */
  readonly counts: Readonly<Record<string, number>>;
  /** Where the next batch goes on; null: the pass has come to its end. */
  readonly after: object | null;
  /** UUIDs of rooms with changes that their members are to see. */
  readonly rooms?: readonly string[];
  /** Something of the user is in use: it is found once more, a little later. */
  readonly waits?: boolean;
}

/**
 * Declares a function of the schema that does a step's batches: `(p_tenant, p_user, p_erased, p_after, p_limit)`, jsonb as
 * EraseBatch says. It bears to be called for what is gone already, and twice at once; a pass from its beginning that finds
 * nothing is what ends a step.
 */
export function eraseFunction(name: string): SchemaFunction<EraseArgs, EraseBatch> {
  const args = { p_user: 'text', p_erased: 'text', p_after: 'jsonb?', p_limit: 'integer' } as const;
  return schemaFunction(name, args, value<EraseBatch>('jsonb'));
}

/** One step of the erase of a person, on a provider of the module that owns its tables (`@EraseStep`). */
export interface EraseWork {
  readonly batch: SchemaFunction<EraseArgs, EraseBatch>;
  /**
   * Does before each batch what no statement can, for what the batches before have left; called again where it was cut short. The
   * last pass over all steps finds nothing to change: what this does there is for good.
   */
  before?(tenantId: string): Promise<void>;
  /** Called after each batch that was committed; may be lost with the process. */
  done?(tenantId: string, batch: EraseBatch): void;
}

const ERASE_STEP = Symbol('@EraseStep');

/** Makes a provider what does a step of ERASE_STEPS. */
export function EraseStep(step: EraseStepName): (target: abstract new (...args: never[]) => EraseWork) => void {
  return markClass(ERASE_STEP, step);
}

/** All steps, by name. The server does not start where one is missing or there twice. */
@Injectable()
export class EraseSteps implements OnModuleInit {
  private byName: ReadonlyMap<string, EraseWork> = new Map();

  constructor(private readonly explorer: Explorer) {}

  onModuleInit(): void {
    const found = new Map<string, EraseWork>();
    for (const { options, provider, name } of this.explorer.classes<EraseStepName, EraseWork>(ERASE_STEP)) {
      if (found.has(options))
        throw new Error(`Two providers do the step ${options} of an erase: ${name} is the second`);
      found.set(options, provider);
    }
    const missing = Object.keys(ERASE_STEPS).filter((step) => !found.has(step));
    if (missing.length > 0) throw new Error(`Nothing does the steps ${missing.join(', ')} of an erase`);
    this.byName = found;
  }

  get(step: EraseStepName): EraseWork {
    const work = this.byName.get(step);
    if (work === undefined) throw new Error(`Nothing does the step ${step} of an erase`);
    return work;
  }
}

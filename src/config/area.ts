import { type EnvField, FieldFault } from './field';

export type Shape = Readonly<Record<string, EnvField<unknown>>>;
export type Values<S extends Shape> = { readonly [K in keyof S]: S[K] extends EnvField<infer T> ? T : never };

/** The class of one area of the configuration; its instances hold the read values. */
export interface AreaClass<S extends Shape> {
  new (values: Values<S>): Values<S>;
  readonly title: string;
  readonly fields: S;
}

/** Makes the base class of one area from its fields; the field names become read-only, typed properties. */
export function area<S extends Shape>(title: string, fields: S): AreaClass<S> {
  class Area {
    static readonly title = title;
    static readonly fields = fields;
    constructor(values: Values<S>) {
      Object.assign(this, values);
    }
  }
  return Area as unknown as AreaClass<S>;
}

/** Reads one area; every fault is added to `faults` as one line that names the variable. */
export function readArea<S extends Shape>(fields: S, env: NodeJS.ProcessEnv, faults: string[]): Values<S> {
  const values: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const raw = env[field.name];
    try {
      values[key] = field.read(raw === undefined || raw.trim() === '' ? undefined : raw.trim());
    } catch (error) {
      if (!(error instanceof FieldFault)) throw error;
      faults.push(
        `${field.name} ${error.message}${field.secret || raw === undefined ? '' : `, not "${raw.slice(0, 80)}"`}`,
      );
    }
  }
  return values as Values<S>;
}

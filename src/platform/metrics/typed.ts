import type { METRIC_DEFINITIONS } from './definitions';

type Definitions = typeof METRIC_DEFINITIONS;
type Type = Definitions[keyof Definitions]['type'];

/** The names of the metrics of one type. */
export type NamesOf<T extends Type> = {
  [N in keyof Definitions]: Definitions[N]['type'] extends T ? N : never;
}[keyof Definitions];

type LabelName<N extends keyof Definitions> = Definitions[N]['labels'][number];

/** The labels of a metric, all of them required. */
export type LabelsOf<N extends keyof Definitions> = { readonly [L in LabelName<N>]: string | number };

/** A metric without labels is used directly; one with labels gives a child per set of them. */
type Handle<N extends keyof Definitions, Child> = [LabelName<N>] extends [never]
  ? Child
  : {
      /** The series of these labels. Hot paths keep it: making one costs more than counting. */
      labels(labels: LabelsOf<N>): Child;
    };

export type CounterHandle<N extends NamesOf<'counter'>> = Handle<N, { inc(by?: number): void }>;

export type GaugeHandle<N extends NamesOf<'gauge'>> = Handle<
  N,
  { set(value: number): void; inc(by?: number): void; dec(by?: number): void }
>;

export type HistogramHandle<N extends NamesOf<'histogram'>> = Handle<N, { observe(value: number): void }>;

/** One value of a gauge that is collected at a scrape. */
export interface GaugeSample<N extends NamesOf<'gauge'>> {
  readonly labels: LabelsOf<N>;
  readonly value: number;
}

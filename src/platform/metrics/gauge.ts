import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Explorer, markMethod } from '../discovery';
import { Metrics } from './metrics';
import type { GaugeSample, LabelsOf, NamesOf } from './typed';

type GaugeName = NamesOf<'gauge'>;
type Samples = readonly GaugeSample<GaugeName>[];

const GAUGE = Symbol('@Gauge');

/**
 * Asks the method for the values of a gauge at each scrape: a number where it has no labels. A gauge has one such method.
 */
export function Gauge<N extends GaugeName>(
  name: N,
): <M extends () => number | readonly GaugeSample<N>[] | Promise<readonly GaugeSample<N>[]>>(
  target: object,
  property: string,
  descriptor: TypedPropertyDescriptor<M>,
) => void {
  return (_target, _property, descriptor) => markMethod(GAUGE, name)(descriptor);
}

/** Finds what `@Gauge` marks. */
@Injectable()
export class Gauges implements OnModuleInit {
  constructor(
    private readonly explorer: Explorer,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    for (const { options: name, call } of this.explorer.methods<GaugeName>(GAUGE))
      this.metrics.collect(name, () => {
        const value = call() as number | Samples | Promise<Samples>;
        return typeof value === 'number' ? [{ labels: {} as LabelsOf<GaugeName>, value }] : value;
      });
  }
}

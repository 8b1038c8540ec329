import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '../../../platform/metrics';
import { type DeadLetterItems, type DeadLetterKind, type DeadLetterSource, DeadLetterSources } from './sources';

type Registered = { readonly [K in DeadLetterKind]?: DeadLetterSource<K> };

/** The sources of this server, and how many letters each has on /metrics. */
@Injectable()
export class DeadLetterRegistry extends DeadLetterSources implements OnModuleInit {
  private sources: Registered = {};

  constructor(private readonly metrics: Metrics) {
    super();
  }

  onModuleInit(): void {
    this.metrics.collect('chatapi_dead_letters', () =>
      Promise.all(this.all().map(async ([kind, source]) => ({ labels: { kind }, value: await source.count() }))),
    );
  }

  add<K extends DeadLetterKind>(kind: K, source: DeadLetterSource<K>): void {
    if (this.sources[kind] !== undefined) throw new Error(`Dead letters of the kind ${kind} have a source already`);
    this.sources = { ...this.sources, [kind]: source };
  }

  /** With those of one kind only, if it is given. */
  all(kind?: DeadLetterKind): [DeadLetterKind, DeadLetterSource<DeadLetterKind>][] {
    const entries = Object.entries(this.sources) as [DeadLetterKind, DeadLetterSource<DeadLetterKind>][];
    return entries.filter(([each]) => kind === undefined || each === kind);
  }

  async list<K extends DeadLetterKind>(kind: K, tenantId: string, limit: number): Promise<DeadLetterItems[K][]> {
    const source: Registered[K] = this.sources[kind];
    return source === undefined ? [] : [...(await source.list(tenantId, limit))];
  }
}

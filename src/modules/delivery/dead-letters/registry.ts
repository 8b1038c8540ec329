import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Explorer } from '../../../platform/discovery';
import { Gauge, type GaugeSample } from '../../../platform/metrics';
import {
  DEAD_LETTER_KINDS,
  DEAD_LETTER_SOURCE,
  type DeadLetterItems,
  type DeadLetterKind,
  type DeadLetters,
} from './sources';

type Source = DeadLetters<DeadLetterKind>;

/** The sources of this server, and how many letters each has on /metrics. */
@Injectable()
export class DeadLetterRegistry implements OnModuleInit {
  private sources: ReadonlyMap<DeadLetterKind, Source> = new Map();

  constructor(private readonly explorer: Explorer) {}

  onModuleInit(): void {
    const sources = new Map<DeadLetterKind, Source>();
    for (const { options: kind, provider, name } of this.explorer.classes<DeadLetterKind, Source>(DEAD_LETTER_SOURCE)) {
      if (sources.has(kind)) throw new Error(`Two sources of dead letters of the kind ${kind}: ${name} is the second`);
      sources.set(kind, provider);
    }
    const missing = DEAD_LETTER_KINDS.filter((kind) => !sources.has(kind));
    if (missing.length > 0) throw new Error(`No source of dead letters of the kind ${missing.join(', ')}`);
    this.sources = sources;
  }

  @Gauge('chatapi_dead_letters')
  counts(): Promise<GaugeSample<'chatapi_dead_letters'>[]> {
    return Promise.all(this.all().map(async ([kind, source]) => ({ labels: { kind }, value: await source.count() })));
  }

  /** With those of one kind only, if it is given. */
  all(kind?: DeadLetterKind): [DeadLetterKind, Source][] {
    return [...this.sources].filter(([each]) => kind === undefined || each === kind);
  }

  async list<K extends DeadLetterKind>(kind: K, tenantId: string, limit: number): Promise<DeadLetterItems[K][]> {
    // Its decorator has seen to it that it lists this kind.
    const source = this.sources.get(kind) as DeadLetters<K> | undefined;
    return source === undefined ? [] : [...(await source.list(tenantId, limit))];
  }
}

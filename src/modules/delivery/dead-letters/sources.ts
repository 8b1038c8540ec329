import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Sql } from '../../../platform/database';
import { Explorer, markClass } from '../../../platform/discovery';
import { Gauge, type GaugeSample } from '../../../platform/metrics';
import type { FailedMessageDto, FailedNotificationDto, FailedWebhookDto } from '../dto/dead-letter.dto';

/** What a dead letter of each kind looks like in the list. */
export interface DeadLetterItems {
  readonly message: FailedMessageDto;
  readonly notification: FailedNotificationDto;
  readonly webhook: FailedWebhookDto;
}

export type DeadLetterKind = keyof DeadLetterItems;

export const DEAD_LETTER_KINDS: readonly DeadLetterKind[] = ['message', 'notification', 'webhook'];

/** Which dead letters of a tenant are meant: those with these ids, or all that fit what is given. */
export interface DeadLetterSelection {
  /** Dashed UUIDs behind `dl_`, of any kind: a source takes those that are its own. */
  readonly ids?: readonly string[];
  /** UUID. What is about no room fits no room. */
  readonly roomId?: string;
  readonly userId?: string;
  /** Last attempted before this time. */
  readonly before?: Date;
}

/** Where the dead letters of one kind are. Every call is about one tenant but `count`. */
export interface DeadLetters<K extends DeadLetterKind> {
  /** At most `limit`, the last attempted first. */
  list(tenantId: string, limit: number): Promise<readonly DeadLetterItems[K][]>;
  /** Tries once more to deliver them; doing it twice does no harm. Returns how many letters fitted. */
  replay(tenantId: string, selection: DeadLetterSelection): Promise<number>;
  /** Forgets one; false when it is none of this kind. @param id dashed UUID behind `dl_` */
  drop(tx: Sql, tenantId: string, id: string): Promise<boolean>;
  /** How many there are in all tenants, for the metrics. */
  count(): Promise<number>;
}

export const DEAD_LETTER_SOURCE = Symbol('@DeadLetterSource');

/** Makes a provider the source of the dead letters of a kind. Each kind has one, or the server does not start. */
export function DeadLetterSource<K extends DeadLetterKind>(
  kind: K,
): (target: abstract new (...args: never[]) => DeadLetters<K>) => void {
  return markClass(DEAD_LETTER_SOURCE, kind);
}

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

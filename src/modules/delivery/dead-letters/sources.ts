import { markClass } from '../../../platform/discovery';
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
  drop(tenantId: string, id: string): Promise<boolean>;
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

import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { type Api, ApiFault, bodyOf, type components, useApi } from '../../../api/client';
import { useTenant } from '../tenant';

type Letters = components['schemas']['DeadLettersDto'];
export type Filter = components['schemas']['DeadLetterFilterDto'];
export type Kind = NonNullable<Filter['kind']>;

/** What could not be delivered, of any kind. */
export interface Letter {
  readonly id: string;
  readonly kind: Kind;
  /** The id of what was to be delivered. */
  readonly about: string;
  /** The room of a message, the topic of a notification, the event of a webhook. */
  readonly of: string;
  readonly roomId: string | undefined;
  readonly userId: string | undefined;
  readonly error: string;
  readonly attempts: number;
  readonly at: string;
}

export interface LetterList {
  /** The newest first. */
  readonly letters: readonly Letter[];
  /** There are more of a kind than one answer has. */
  readonly isCut: boolean;
}

/** Of each kind, as many as one answer has at most. */
const MOST = 1000;
const GONE = 404;
const TOO_FAST = 429;
const BREAK_MS = 1000;
const EVERY_MS = 10_000;

/** The dead letters of the tenant that is looked at. */
export function useLetters(): UseQueryResult<LetterList> {
  const api = useApi();
  const [tenantId = ''] = useTenant();
  return useQuery({
    queryKey: ['letters', tenantId],
    queryFn: async () => {
      const query = { tenant_id: tenantId, limit: MOST };
      return listOf(await bodyOf(api.GET('/admin/dead-letters', { params: { query } })));
    },
    placeholderData: keepPreviousData,
    refetchInterval: EVERY_MS,
  });
}

function listOf({
  failed_messages: messages,
  failed_notifications: notes,
  failed_webhooks: posts,
}: Letters): LetterList {
  const letters: Letter[] = [
    ...messages.map((one) => ({
      ...shared(one),
      ...{ kind: 'message' as const, about: one.message_id, of: one.room_id, roomId: one.room_id, userId: one.user_id },
    })),
    ...notes.map((one) => ({
      ...shared(one),
      ...{ kind: 'notification' as const, about: one.notification_id, of: one.topic },
      ...{ roomId: undefined, userId: one.user_id },
    })),
    ...posts.map((one) => ({
      ...shared(one),
      ...{ kind: 'webhook' as const, about: one.webhook_id, of: one.type, roomId: undefined, userId: undefined },
    })),
  ];
  letters.sort((a, b) => b.at.localeCompare(a.at));
  return { letters, isCut: [messages, notes, posts].some(({ length }) => length >= MOST) };
}

function shared(one: {
  readonly id: string;
  readonly error: string;
  readonly attempts: number;
  readonly last_attempt_at: string;
}): Pick<Letter, 'id' | 'error' | 'attempts' | 'at'> {
  return { id: one.id, error: one.error, attempts: one.attempts, at: one.last_attempt_at };
}

/** Whether the server's filter would take it. */
export function fits({ kind, room_id: roomId, user_id: userId, before }: Filter, letter: Letter): boolean {
  return (
    (kind === undefined || letter.kind === kind) &&
    (roomId === undefined || letter.roomId === roomId) &&
    (userId === undefined || letter.userId === userId) &&
    (before === undefined || letter.at < before)
  );
}

/** Tries them once more; answers how many. */
export async function replay(
  api: Api,
  tenantId: string,
  body: components['schemas']['ReplayDeadLettersDto'],
): Promise<number> {
  const query = { tenant_id: tenantId };
  return (await bodyOf(api.POST('/admin/dead-letters/replay', { params: { query }, body }))).replayed;
}

/**
 * Drops them, one after the other: the API has no call for many.
 * @param onDropped is told how many are dropped so far
 */
export async function drop(
  api: Api,
  tenantId: string,
  letters: readonly Letter[],
  onDropped: (count: number) => void,
): Promise<void> {
  for (const [at, { id }] of letters.entries()) {
    await dropOne(api, tenantId, id);
    onDropped(at + 1);
  }
}

async function dropOne(api: Api, tenantId: string, id: string): Promise<void> {
  try {
    await api.DELETE('/admin/dead-letters/{id}', { params: { path: { id }, query: { tenant_id: tenantId } } });
  } catch (fault) {
    // It was delivered or dropped meanwhile: what is wanted is so.
    if (!(fault instanceof ApiFault) || (fault.status !== GONE && fault.status !== TOO_FAST)) throw fault;
    if (fault.status === GONE) return;
    await new Promise((resolve) => setTimeout(resolve, BREAK_MS));
    await dropOne(api, tenantId, id);
  }
}

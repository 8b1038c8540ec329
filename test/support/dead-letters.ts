import type { TestApp, TestTenant } from './app';
import type { Api, Bodies } from './http/api';
import { bodyOf } from './rooms';
import { uuidOf } from './tenants';

export type FailedMessageBody = Bodies['FailedMessageDto'];

export type DeadLettersBody = Bodies['DeadLettersDto'];

export const DEAD_LETTERS = '/admin/dead-letters';

/** As any key of the tenant sees them. */
export async function deadLetters(by: Api, query = ''): Promise<DeadLettersBody> {
  return bodyOf(await by.get<DeadLettersBody>(`${DEAD_LETTERS}${query}`));
}

/** Gives up on messages for a member as a connection would have; returns the first one's id. */
export async function deadLetter(
  { database }: Pick<TestApp, 'database'>,
  tenant: TestTenant,
  roomId: string,
  userId: string,
  [from, to]: readonly [number, number] = [1, 1],
): Promise<string> {
  await database.sql('SELECT dead_letters_add($1, $2, $3, $4, $5, 5, $6)', [
    ...[uuidOf(tenant.tenantId), uuidOf(roomId), userId, from, to, 'ack timeout'],
  ]);
  const { failed_messages } = await deadLetters(tenant.key, '?limit=1000');
  const first = failed_messages.find((letter) => letter.room_id === roomId && letter.user_id === userId);
  if (!first) throw new Error('there is no letter');
  return first.id;
}

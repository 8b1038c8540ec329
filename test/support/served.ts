import { Api, type Bodies } from './http/api';
import { createRoom } from './rooms';
import type { WriterTarget } from './message-writers';

export const SERVED_MASTER_KEY = 'master-key-of-a-served-test';

/** A tenant without limits on a server in a process of its own, with rooms that all its users are in. */
export async function createServedTenant(
  url: () => string,
  users: number,
  rooms: number,
): Promise<WriterTarget & { readonly tenantId: string }> {
  const anonymous = new Api(url());
  const { status, body } = await anonymous
    .with({ 'x-master-key': SERVED_MASTER_KEY })
    .post<Bodies['TenantCreatedDto']>('/admin/tenants', {
      name: 'served',
      limits: { requests_per_second: null, ai_requests_per_minute: null },
    });
  if (status !== 201) throw new Error(`creating a tenant answered ${status}: ${JSON.stringify(body)}`);
  const as = (userId: string): Api => new Api(url(), { 'x-api-key': body.api_key, 'x-user-id': userId });
  const userIds = Array.from({ length: users }, (_, i) => `writer${i}`);
  const roomIds: string[] = [];
  for (let i = 0; i < rooms; i++) roomIds.push((await createRoom(as(userIds[0] ?? ''), 'group', userIds)).room_id);
  return { as, userIds, roomIds, tenantId: body.tenant_id };
}

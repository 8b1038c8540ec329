import type { TestTenant } from '../app';
import { listAll } from '../messages';
import { until } from '../poll';
import { bodyOf, type MemberBody } from '../rooms';
import { MAX_WAIT_MS } from '../timing';
import { divergences, type ListedRoom } from './room-view';
import type { SyncingClient } from './syncing-client';

/** Resolves when every device has what the log has, and nothing else. @param reader a member of all the rooms */
export async function converged(
  devices: readonly SyncingClient[],
  tenant: TestTenant,
  reader: string,
  roomIds: readonly string[],
): Promise<void> {
  const truths = new Map<string, ListedRoom>();
  for (const roomId of roomIds) truths.set(roomId, await truthOf(tenant, reader, roomId));
  const faults = (): string[] =>
    devices.flatMap((device) =>
      [...truths].flatMap(([roomId, truth]) =>
        divergences(device.view(roomId), truth, device.userId).map((fault) => `${device.name} ${roomId}: ${fault}`),
      ),
    );
  const busy = (): string[] => devices.filter(({ isIdle }) => !isIdle).map(({ name }) => `${name} is busy`);
  await until(
    async () => [...faults(), ...busy()],
    (wrong) => wrong.length === 0,
    MAX_WAIT_MS,
  );
}

async function truthOf(tenant: TestTenant, reader: string, roomId: string): Promise<ListedRoom> {
  const messages = (await listAll(tenant.as(reader), roomId)).map(({ message_id, rev, content, deleted_at }) => ({
    ...{ id: message_id, rev, content, isDeleted: deleted_at !== null },
  }));
  const members = bodyOf(await tenant.as(reader).get<MemberBody[]>(`/rooms/${roomId}/members`));
  const roles = new Map(members.map(({ user_id, role }) => [user_id, role]));
  return { messages, roles, reads: new Map() };
}

import type { TestTenant } from '../app';
import { divergences, type ListedRoom } from '../convergence/room-view';
import { SyncingClient } from '../convergence/syncing-client';
import { listAll } from '../messages';
import type { WriterTarget } from '../message-writers';
import { until } from '../poll';
import { bodyOf, createRoom, type MemberBody } from '../rooms';

/**
 * Many people in rooms of their own, each with one client that comes back by itself and keeps what it has, and writers who are in
 * all of the rooms and have no socket.
 */
export class Crowd {
  private constructor(
    private readonly tenant: TestTenant,
    readonly clients: readonly SyncingClient[],
    readonly roomIds: readonly string[],
    private readonly writerIds: readonly string[],
  ) {}

  /** They are connected when this resolves. @param urls where they come in, by turns */
  static async of(
    tenant: TestTenant,
    urls: readonly string[],
    size: { readonly rooms: number; readonly perRoom: number; readonly writers: number },
  ): Promise<Crowd> {
    const writerIds = Array.from({ length: size.writers }, (_, n) => `writer${n}`);
    const clients: SyncingClient[] = [];
    const roomIds: string[] = [];
    for (let r = 0; r < size.rooms; r++) {
      const users = Array.from({ length: size.perRoom }, (_, n) => `user${r}-${n}`);
      const [first = '', ...others] = writerIds;
      const { room_id } = await createRoom(tenant.as(first), 'group', [...others, ...users]);
      roomIds.push(room_id);
      const founders = new Map([...writerIds, ...users].map((id) => [id, id === first ? 'admin' : 'member']));
      for (const [n, user] of users.entries()) {
        const url = urls[(r + n) % urls.length] ?? '';
        clients.push(
          new SyncingClient({ url, tenant, rooms: new Map([[room_id, founders]]) }, user, user, true).start(),
        );
      }
    }
    const crowd = new Crowd(tenant, clients, roomIds, writerIds);
    await crowd.whenConnected();
    return crowd;
  }

  /** For `MessageWriters`, who come in where the tenant's clients do. */
  get target(): WriterTarget {
    return { as: (userId) => this.tenant.as(userId), roomIds: this.roomIds, userIds: this.writerIds };
  }

  /** Resolves when each has had so many connections. */
  async whenConnected(times = 1): Promise<void> {
    await until(
      async () => this.clients.filter(({ connections }) => connections < times).map(({ name }) => name),
      (away) => away.length === 0,
    );
  }

  /** Once nobody writes any more: what their clients lack or have too much of, when they had their time. */
  async faults(): Promise<string[]> {
    const truths = new Map<string, ListedRoom>();
    for (const roomId of this.roomIds) truths.set(roomId, await this.truth(roomId));
    const missing = (): string[] =>
      this.clients.flatMap((client) =>
        [...client.views].flatMap(([roomId, view]) => {
          const truth = truths.get(roomId);
          const found = truth === undefined ? ['there is no such room'] : divergences(view, truth, client.userId);
          return found.map((fault) => `${client.name}: ${fault}`);
        }),
      );
    const left = await until(
      async () => missing(),
      (found) => found.length === 0,
    ).catch(missing);
    await this.stop();
    return [...left, ...this.clients.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`))];
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  private async truth(roomId: string): Promise<ListedRoom> {
    const by = this.tenant.as(this.writerIds[0] ?? '');
    const messages = (await listAll(by, roomId)).map(({ message_id, rev, content, deleted_at }) => ({
      ...{ id: message_id, rev, content, isDeleted: deleted_at !== null },
    }));
    const members = bodyOf(await by.get<MemberBody[]>(`/rooms/${roomId}/members?limit=100`));
    return {
      firstSeq: 1,
      messages,
      roles: new Map(members.map(({ user_id, role }) => [user_id, role])),
      reads: new Map(),
    };
  }
}

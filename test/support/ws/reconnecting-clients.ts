import { post } from '../messages';
import { createRoom } from '../rooms';
import type { TestApp, TestTenant } from '../app';
import { WsClient } from './client';
import { keyOf } from './socket-app';
import { MAX_WAIT_MS } from '../timing';

/**
 * How long a storm may take. Its clients share the server's event loop here, so that it hardly ever rests: what coming
 * back costs is begun no faster than for a server that has no time for it.
 */
export const STORM_MS = 2 * MAX_WAIT_MS;

/** Many users, each with one connection, in rooms of their own. */
export class ReconnectingClients {
  /** By user, in the order of `users`. */
  clients: WsClient[] = [];
  private writing = false;
  private writers: Promise<void>[] = [];
  /** What the server has said is stored, by room. */
  readonly accepted = new Map<string, Set<number>>();

  private constructor(
    private readonly app: TestApp,
    private readonly tenant: TestTenant,
    readonly rooms: readonly { readonly roomId: string; readonly users: readonly string[] }[],
  ) {}

  static async of(app: TestApp, tenant: TestTenant, rooms: number, perRoom: number): Promise<ReconnectingClients> {
    const made: { roomId: string; users: string[] }[] = [];
    for (let r = 0; r < rooms; r++) {
      const users = Array.from({ length: perRoom }, (_, u) => `user-${r}-${u}`);
      const { room_id } = await createRoom(tenant.as(users[0] ?? ''), 'group', users.slice(1));
      made.push({ roomId: room_id, users });
    }
    return new ReconnectingClients(app, tenant, made);
  }

  get users(): readonly string[] {
    return this.rooms.flatMap(({ users }) => users);
  }

  /** All at once; each has sat down in its rooms when this resolves. */
  async connect(): Promise<void> {
    const connected = this.users.map((user) => WsClient.admitted(this.app.url, { headers: keyOf(this.tenant, user) }));
    this.clients = await Promise.all(connected);
    await Promise.all(this.clients.map((client) => client.ask({ type: 'ping' }, STORM_MS)));
  }

  /** Nobody says goodbye. */
  async reset(): Promise<void> {
    const ended = this.clients.map((client) => client.ended());
    for (const { ws } of this.clients) ws.terminate();
    await Promise.all(ended);
  }

  /** Each of the writers goes from room to room until `quiet`. */
  write(writers: number): void {
    this.writing = true;
    this.writers = Array.from({ length: writers }, async (_, first) => {
      for (let n = first; this.writing; n++) await this.send(n);
    });
  }

  /** No more traffic: one last message per room, which everybody gets. */
  async quiet(): Promise<void> {
    this.writing = false;
    await Promise.all(this.writers);
    await Promise.all(this.rooms.map((_, n) => this.send(n)));
  }

  /** Resolves when every client has the last message of its room; returns the numbers that each got, in their order. */
  async received(): Promise<{ readonly seqs: readonly number[]; readonly last: number }[]> {
    const all = this.rooms.flatMap(({ roomId, users }) => users.map(() => roomId));
    return Promise.all(
      this.clients.map(async (client, i) => {
        const roomId = all[i] ?? '';
        const last = Math.max(...(this.accepted.get(roomId) ?? []));
        await client.frame((frame) => frame.type === 'message' && frame['seq'] === last, STORM_MS);
        return { seqs: client.got('message').map(({ seq }) => Number(seq)), last };
      }),
    );
  }

  private async send(n: number): Promise<void> {
    const { roomId, users } = this.rooms[n % this.rooms.length] ?? { roomId: '', users: [] };
    const { status, body } = await post(this.tenant.as(users[n % users.length] ?? ''), roomId, { content: `${n}` });
    if (status !== 201) throw new Error(`sending answered ${status}: ${JSON.stringify(body)}`);
    this.accepted.set(roomId, (this.accepted.get(roomId) ?? new Set()).add(body.seq));
  }
}

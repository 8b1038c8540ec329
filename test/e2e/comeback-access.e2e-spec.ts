import { RoomChannel } from '../../src/realtime/feed/room-channel';
import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { allChanges, pathOf, send } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, createRoom, type RoomBody, userIds } from '../support/rooms';
import { createKey, keysPath, uuidOf } from '../support/tenants';
import type { ServerFrame } from '../support/ws/client';
import { ComebackCrowd, streamFaults, toldOf, truthOf, viewFaults } from '../support/ws/comeback-crowd';
import { RawSocket } from '../support/ws/raw';
import { keyOf } from '../support/ws/socket-app';

const MEMBERS = 200;
const BACKLOG = 150;
/** So many are live when something happens; the others are on their way. */
const FIRST = 20;
/** How long a revoked key may live on. */
const REVOKED_WITHIN_MS = 5000;
const UNLIMITED = { requests_per_second: null, ws_messages_per_second: null };

let app: TestApp;
let tenant: TestTenant;
const crowds: ComebackCrowd[] = [];

beforeAll(async () => {
  // Nothing is sent again by itself: a message that comes twice is a fault here.
  app = await startTestApp({ env: { WS_ACK_TIMEOUT_MS: '600000' } });
  tenant = await app.tenant(UNLIMITED);
});
afterEach(() => Promise.all(crowds.splice(0).map((crowd) => crowd.stop())));
afterAll(() => app.close());

interface Site {
  readonly room: RoomBody;
  readonly roomId: string;
  readonly users: readonly string[];
  readonly sent: readonly { readonly message_id: string; readonly seq: number }[];
}

/** A room whose members have everything to catch up on. */
async function siteOf(of: TestTenant, name: string, members = MEMBERS, content = 'backlog'): Promise<Site> {
  const users = userIds(name.replaceAll(' ', '-'), members);
  const room = await createRoom(of.as('host'), 'group', users);
  const sent = [];
  for (let n = 1; n <= BACKLOG; n++) sent.push(await send(of.as('host'), room.room_id, { content: `${content} ${n}` }));
  return { room, roomId: room.room_id, users, sent };
}

function crowdOf(of: TestTenant, { users, roomId }: Site): ComebackCrowd {
  const those = users.map((userId) => ({ userId, headers: keyOf(of, userId), roomIds: [roomId] }));
  const crowd = new ComebackCrowd(app.url, those);
  crowds.push(crowd);
  return crowd.start();
}

/** Until `tell` the rooms hear of nothing that is committed; then of everything twice, the last first. */
function deafRooms(): { tell(): void } {
  const held: (() => void)[] = [];
  const { receive } = RoomChannel.prototype;
  const spy = jest.spyOn(RoomChannel.prototype, 'receive').mockImplementation(function (this: RoomChannel, change) {
    held.unshift(() => receive.call(this, change));
  });
  return {
    tell: () => {
      spy.mockRestore();
      for (const hear of [...held, ...held]) hear();
    },
  };
}

describe.each([
  ['as it happens', false],
  ['late', true],
])('what happens while hundreds come back, told %s,', (_, isLate) => {
  let site: Site;
  let crowd: ComebackCrowd;
  /** Those who are removed, wherever they are on their way. */
  let out: ReadonlySet<string>;
  /** All of it was answered. */
  let answered: number;

  /** The last thing that nobody of those who are out may see. */
  async function change(): Promise<void> {
    const { roomId, sent } = site;
    const host = tenant.as('host');
    const at = (n: number): string => pathOf(roomId, sent[n - 1] ?? { message_id: '' });
    await Promise.all([
      host.patch(at(11), { content: 'edited' }).then((answer) => bodyOf(answer)),
      host.delete(at(21)).then((answer) => bodyOf(answer, 204)),
      app.database.sql('SELECT room_trim(tenant_id, room_id, 5) FROM rooms WHERE room_id = $1', [uuidOf(roomId)]),
    ]);
    const removals = [...out].map((user) => host.delete(`/rooms/${roomId}/members/${user}`));
    for (const answer of await Promise.all(removals)) bodyOf(answer, 204);
    answered = performance.now();
    bodyOf(await host.patch(at(31), { content: 'a secret' }));
    await send(host, roomId, { content: 'another secret' });
  }

  beforeAll(async () => {
    site = await siteOf(tenant, isLate ? 'late' : 'told');
    out = new Set(site.users.filter((_user, n) => n % 13 === 0));
    crowd = crowdOf(tenant, site);
    await crowd.whenLive(FIRST);
    const late = isLate ? deafRooms() : undefined;
    await change();
    // Those who come now can know all of it.
    crowd.drop();
    const those = crowd.clients.filter(({ who }) => !out.has(who.userId));
    const isBack = (count: number): boolean => those.filter(({ isLive }) => isLive).length >= count;
    await crowd.when('the first are back', () => isBack(FIRST));
    late?.tell();
    const isOpen = (): boolean => crowd.clients.every(({ connections }) => connections.at(-1)?.isOpen === true);
    await crowd.when('all are back', () => isBack(those.length) && isOpen());
    const last = crowd.clients.map((client) => client.connection);
    // What those who are out are told where they should be told nothing has come with the answer.
    await Promise.all(last.map((client) => client.ask({ type: 'ping' })));
    const { seq } = await send(tenant.as('host'), site.roomId, { content: 'all are here' });
    const isLast = (frame: ServerFrame): boolean => frame.type === 'message' && frame['seq'] === seq;
    await Promise.all(those.map((client) => client.connection.frame(isLast)));
  });

  it('everybody has the room as it is, each connection in order', async () => {
    const truth = await truthOf(tenant.as('host'), site.roomId);
    expect(truth.map(({ seq }) => seq)).toEqual(Array.from({ length: BACKLOG + 2 - 4 }, (_seq, i) => i + 5));
    const faults = crowd.clients.flatMap(({ who, connections }) => {
      const told = connections.map((connection) => toldOf(connection, site.roomId));
      return [
        ...told.flatMap((frames) => streamFaults(frames, [1, 5])),
        ...(out.has(who.userId) ? [] : viewFaults(told.at(-1) ?? [], truth)),
      ].map((fault) => `${who.userId}: ${fault}`);
    });
    expect(faults).toEqual([]);
  });

  it('who comes after a message was edited, deleted or dropped gets nothing of what it was', async () => {
    const truth = new Map((await truthOf(tenant.as('host'), site.roomId)).map(({ seq, content }) => [seq, content]));
    const messages = crowd.clients.flatMap((client) =>
      client.begunAfter(answered).flatMap((connection) => connection.got('message')),
    );
    expect(messages.length).toBeGreaterThan(FIRST * BACKLOG);
    const old = messages.filter(({ seq, content, deleted_at }) => {
      if (seq === 21) return deleted_at === null;
      // Edited after that.
      return seq !== 31 && truth.get(Number(seq)) !== content;
    });
    expect(old).toEqual([]);
  });

  it('who was removed is told nothing that happened after it', async () => {
    const changes = await allChanges(tenant.as('host'), site.roomId);
    const removals = changes.filter(({ type }) => type === 'member.left');
    expect(removals).toHaveLength(out.size);
    for (const { user_id, rev } of removals) {
      const client = crowd.clients.find(({ who }) => who.userId === user_id);
      if (client === undefined) throw new Error(`nobody is ${String(user_id)}`);
      for (const connection of client.connections) {
        const told = toldOf(connection, site.roomId);
        const beyond = told.filter((frame) => Number(frame['rev'] ?? 0) > rev);
        const left = told.findIndex((frame) => frame.type === 'member.left' && frame['user_id'] === user_id);
        expect(beyond).toEqual([]);
        expect(left < 0 ? [] : told.slice(left + 1)).toEqual([]);
      }
      for (const connection of client.begunAfter(answered)) expect(toldOf(connection, site.roomId)).toEqual([]);
    }
    const told = crowd.clients.filter(({ who, connections }) => {
      const [first] = connections;
      return out.has(who.userId) && first !== undefined && toldOf(first, site.roomId).length > 0;
    });
    // Some had come before it, and some came back after it.
    expect(told.length).toBeGreaterThan(0);
    const back = crowd.clients.filter((client) => out.has(client.who.userId) && client.begunAfter(answered).length > 0);
    expect(back.length).toBeGreaterThan(0);
  });
});

describe('a key that is revoked', () => {
  /** What comes on a socket until the server has ended it: the last opcode, and whether anything followed the close. */
  async function toTheEnd(raw: RawSocket): Promise<{ code: number; after: string; ended: number }> {
    const code = await raw.closeCode();
    const ended = performance.now();
    return { code, after: await raw.rest(), ended };
  }

  it.each<[string, (keyId: string) => Promise<unknown>]>([
    ['here', async (keyId) => app.master.delete(`${keysPath(tenant)}/${keyId}`)],
    [
      'by another server',
      (keyId) =>
        app.database.sql('UPDATE api_keys SET revoked_at = clock_timestamp() WHERE key_id = $1', [uuidOf(keyId)]),
    ],
  ])('%s, while its pages are shared, ends its sockets, and no frame follows', async (name, revoke) => {
    const site = await siteOf(tenant, name);
    const { key_id, api_key } = await createKey(app, tenant);
    const holders = site.users.slice(0, MEMBERS / 4);
    const others: Site = { ...site, users: site.users.slice(holders.length) };
    let open = 0;
    const countedToTheEnd = (raw: RawSocket): ReturnType<typeof toTheEnd> => {
      open++;
      return toTheEnd(raw);
    };
    const opening = holders.map((user) =>
      RawSocket.upgraded(app.url, keyOf({ ...tenant, apiKey: api_key }, user)).then(
        countedToTheEnd,
        (error: unknown) => {
          // Too late, and rightly refused; after twenty such from one address nobody looks at the key any more.
          expect(String(error)).toMatch(/HTTP\/1\.1 (401|429)/);
        },
      ),
    );
    const crowd = crowdOf(tenant, others);
    await crowd.whenLive(FIRST);
    await until(
      async () => open,
      (sockets) => sockets > FIRST / 2,
    );
    await revoke(key_id);
    const revoked = performance.now();
    const ends = await Promise.all(opening);
    const closed = ends.filter((end) => end !== undefined);
    expect(closed.length).toBeGreaterThan(FIRST / 2);
    for (const { code, after, ended } of closed) {
      expect({ code, after }).toEqual({ code: 4003, after: '' });
      expect(ended - revoked).toBeLessThan(REVOKED_WITHIN_MS);
    }
    // Nobody else is held up or cut off by that.
    await crowd.whenLive();
    expect(crowd.clients.every(({ connections }) => connections.length === 1)).toBe(true);
  });
});

describe('two tenants with the same users', () => {
  it('get no frame of each other', async () => {
    const other = await app.tenant(UNLIMITED);
    const ours = await siteOf(tenant, 'same', MEMBERS / 2, 'OURS');
    const theirs = await siteOf(other, 'same', MEMBERS / 2, 'THEIRS');
    const sides = [
      { crowd: crowdOf(tenant, ours), site: ours, foreign: ['THEIRS', theirs.roomId] },
      { crowd: crowdOf(other, theirs), site: theirs, foreign: ['OURS', ours.roomId] },
    ];
    await Promise.all(sides.map(({ crowd }) => crowd.whenLive(FIRST)));
    await Promise.all([
      send(tenant.as('host'), ours.roomId, { content: 'OURS live' }),
      send(other.as('host'), theirs.roomId, { content: 'THEIRS live' }),
    ]);
    for (const { crowd, site, foreign } of sides) {
      await crowd.whenLive();
      for (const { connections } of crowd.clients) {
        const seqs = (): unknown[] =>
          connections.flatMap((connection) => connection.got('message').map(({ seq }) => seq));
        await until(
          async () => seqs().length,
          (n) => n >= BACKLOG + 1,
        );
        expect(seqs()).toEqual(Array.from({ length: BACKLOG + 1 }, (_, i) => i + 1));
        const text = JSON.stringify(connections.map(({ frames }) => frames));
        expect(text).toContain(site.roomId);
        expect(foreign.filter((word) => text.includes(word))).toEqual([]);
      }
    }
  });
});

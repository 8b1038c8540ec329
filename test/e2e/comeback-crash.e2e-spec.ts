import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isNoAnswer } from '../support/catch-up-client';
import type { Answer } from '../support/http/api';
import type { WriterTarget } from '../support/message-writers';
import { type AcceptedBody, pathOf, post } from '../support/messages';
import { until } from '../support/poll';
import { RestartingServer } from '../support/restarting-server';
import { createRoom } from '../support/rooms';
import { createServedTenant, Servers } from '../support/server-process';
import { ComebackCrowd, streamFaults, toldOf, type Truth, truthOf, viewFaults } from '../support/ws/comeback-crowd';

const CLIENTS = 300;
/** Beside the one that all are in. */
const ROOMS = 30;
const ROOMS_EACH = 10;
/** Of the large room, and of each of the others. */
const BACKLOG = [100, 6] as const;
/** So many are live when it happens; the others are on their way. */
const FIRST = 40;
const WRITERS = 4;
const SENT_EACH = 30;
/** What is refused, or not answered, is tried again; nothing tells when. */
const RETRY_MS = 20;

const servers = new Servers();
let victim: RestartingServer;
let site: WriterTarget;
let crowd: ComebackCrowd;

beforeAll(async () => {
  // Nothing is sent again by itself: a message that comes twice is a fault here.
  // They come slowly, so that the blow falls while they do.
  const slowly = { WS_COMEBACK_SHARE: '5', WS_UPGRADES_AT_ONCE: '4' };
  victim = await RestartingServer.start(servers, { WS_ACK_TIMEOUT_MS: '600000', ...slowly });
  site = await createServedTenant(() => victim.url, CLIENTS, 1);
  const roomIds = [...site.roomIds];
  for (let n = 0; n < ROOMS; n++) {
    const members = site.userIds.filter((_, i) => roomsOf(i).includes(n));
    roomIds.push((await createRoom(site.as(members[0] ?? ''), 'group', members.slice(1))).room_id);
  }
  site = { ...site, roomIds };
  await Promise.all(
    roomIds.map(async (roomId, n) => {
      for (let i = 0; i < (BACKLOG[n === 0 ? 0 : 1] ?? 0); i++)
        await post(site.as(writerIn(n)), roomId, { content: `backlog ${i}` });
    }),
  );
});
afterEach(() => crowd.stop());
afterAll(() => servers.cleanUp());

/** Which of the small rooms a user is in. */
function roomsOf(user: number): number[] {
  return Array.from({ length: ROOMS_EACH - 1 }, (_, k) => (user + k * 3) % ROOMS);
}

function writerIn(room: number): string {
  return site.userIds[room === 0 ? 0 : room - 1] ?? '';
}

interface Sent {
  readonly roomId: string;
  readonly body: AcceptedBody;
  content: string | undefined;
}

/** They send, edit and delete while the others come, each call again until it is done. */
class Writers {
  readonly sent: Sent[] = [];
  /** Calls that were answered with 503, or not at all. */
  failed = 0;
  private running: Promise<unknown> = Promise.resolve();

  /** Some begin to write. */
  begin(): void {
    const writing = Array.from({ length: WRITERS }, (_, w) => this.write(w));
    this.running = Promise.all([this.running, ...writing]);
  }

  async finish(): Promise<void> {
    await this.running;
  }

  private async write(w: number): Promise<void> {
    for (let n = 0; n < SENT_EACH; n++) {
      const room = (w + n * WRITERS) % site.roomIds.length;
      const [by, roomId] = [site.as(writerIn(room)), site.roomIds[room] ?? ''];
      const content = `${w} says ${n}`;
      const message = { content, client_message_id: randomUUID() };
      const { body } = await this.done(201, () => post(by, roomId, message));
      const sent: Sent = { roomId, body, content };
      this.sent.push(sent);
      if (n % 4 === 1) {
        await this.done(200, () => by.patch(pathOf(roomId, body), { content: `${content}, better` }));
        sent.content = `${content}, better`;
      } else if (n % 4 === 3) {
        await this.done(204, () => by.delete(pathOf(roomId, body)));
        sent.content = undefined;
      }
    }
  }

  private async done<T>(status: number, call: () => Promise<Answer<T>>): Promise<Answer<T>> {
    for (;;) {
      const answer = await call().catch((error: unknown) => {
        if (!isNoAnswer(error)) throw error;
      });
      if (answer?.status === status) return answer;
      if (answer !== undefined && answer.status !== 503)
        throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      this.failed++;
      await pause(RETRY_MS);
    }
  }
}

/** Everybody comes, and when so many of them are live `blow` falls; resolves with what is wrong when all are live again. */
async function storm(first: number, blow: (writers: Writers) => Promise<void>): Promise<string[]> {
  crowd = new ComebackCrowd(
    victim.url,
    site.userIds.map((userId, i) => ({
      userId,
      headers: site.as(userId).headers,
      roomIds: [0, ...roomsOf(i).map((n) => n + 1)].map((n) => site.roomIds[n] ?? ''),
    })),
  ).start();
  const writers = new Writers();
  writers.begin();
  await crowd.whenLive(first);
  expect(crowd.live).toBeLessThan(CLIENTS / 2);
  writers.begin();
  await blow(writers);
  await crowd.whenLive();
  await writers.finish();
  return faultsOf(writers);
}

async function faultsOf({ sent }: Writers): Promise<string[]> {
  const truths = new Map<string, Truth>();
  for (const [n, roomId] of site.roomIds.entries()) truths.set(roomId, await truthOf(site.as(writerIn(n)), roomId));
  const lost = sent.flatMap(({ roomId, body, content }) => {
    const stored = truths.get(roomId)?.find(({ seq }) => seq === body.seq);
    const isKept = content === undefined ? stored?.isDeleted === true : stored?.content === content;
    return isKept ? [] : [`"${content}" was accepted as ${body.seq} and is ${JSON.stringify(stored)}`];
  });
  // What was sent last may be on its way.
  await until(
    async () => crowd.clients.findIndex((client) => lacks(client, truths) > 0),
    (first) => first < 0,
  ).catch((error: unknown) => lost.push(String(error)));
  const told = crowd.clients.flatMap(({ who, connections }) =>
    who.roomIds.flatMap((roomId) => [
      ...connections.flatMap((connection) => streamFaults(toldOf(connection, roomId))),
      ...connections
        .slice(-1)
        .flatMap((connection) => viewFaults(toldOf(connection, roomId), truths.get(roomId) ?? [])),
    ]),
  );
  return [...lost, ...told];
}

/** How many of its rooms are not as they are. */
function lacks({ who, connections }: ComebackCrowd['clients'][number], truths: ReadonlyMap<string, Truth>): number {
  const connection = connections.at(-1);
  return who.roomIds.filter(
    (roomId) => connection === undefined || viewFaults(toldOf(connection, roomId), truths.get(roomId) ?? []).length > 0,
  ).length;
}

it('a server that is killed while they are brought up to date brings all of them up to date when it is back', async () => {
  const faults = await storm(FIRST, () => victim.killServer());
  expect(faults).toEqual([]);
  // It did happen in between: some were cut off before they had what they came for.
  const cut = crowd.clients.filter(({ connections }) => connections.length > 1);
  expect(cut.length).toBeGreaterThanOrEqual(FIRST);
  expect(CLIENTS * ROOMS_EACH).toBeGreaterThan(
    crowd.clients.reduce((n, { connections }) => n + (connections[0]?.got('sync.complete').length ?? 0), 0),
  );
});

it('PostgreSQL that stands still in the middle keeps them waiting, and nobody misses anything', async () => {
  const faults = await storm(1, (writers) =>
    victim.freezePostgres(async () => {
      await until(
        async () => writers.failed,
        (n) => n >= WRITERS,
      );
      expect(crowd.live).toBeLessThan(CLIENTS);
    }),
  );
  expect(faults).toEqual([]);
});

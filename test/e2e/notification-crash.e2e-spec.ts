import type { Api } from '../support/http/api';
import type { InboxBody } from '../support/notifications';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { createServedTenant, Servers } from '../support/server-process';
import { RestartingServer } from '../support/restarting-server';
import type { WriterTarget } from '../support/message-writers';
import { WsClient } from '../support/ws/client';

const TOTAL = 1000;
/** Answered before the first kill, and between two. */
const WORK = [150, 400, 700];
const AT_ONCE = 20;
const BOB = 'writer0';
/** A lease has to run out before another worker goes on with a fan-out. */
const LEASE_MS = 40_000;

const servers = new Servers();
afterEach(() => servers.cleanUp());

/** Sends every notification until it is answered, as a client does that knows what an Idempotency-Key is for. */
class Sender {
  readonly ids = new Map<number, string>();
  private next = 0;

  constructor(private readonly api: () => Api) {}

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.work()));
  }

  reached(n: number): Promise<number> {
    return until(
      () => Promise.resolve(this.ids.size),
      (size) => size >= n,
    );
  }

  private async work(): Promise<void> {
    for (let n = this.next++; n < TOTAL; n = this.next++) {
      const body = { topic: 'test', payload: { n }, targets: { user_ids: [BOB] } };
      const headers = { 'Idempotency-Key': `n${n}` };
      const answer = await until(
        () =>
          this.api()
            .post<{ notification_id: string }>('/notify', body, { headers })
            .catch(() => undefined),
        (given) => given?.status === 202,
      );
      this.ids.set(n, answer?.body.notification_id ?? '');
    }
  }
}

it('a server that is killed while it delivers loses nothing that it answered, and doubles nothing but under its id', async () => {
  const victim = await RestartingServer.start(servers);
  const target = await createServedTenant(() => victim.url, 1, 0);
  const clients: WsClient[] = [];
  const connect = async (userId = BOB): Promise<WsClient> => {
    const client = await WsClient.connect(victim.url, { headers: target.as(userId).headers });
    clients.push(client);
    return client;
  };
  await connect();
  const sender = new Sender(() => target.as(BOB));
  const sending = sender.run();
  for (const work of WORK) {
    await sender.reached(work);
    await victim.killServer();
    await connect();
  }
  await sending;

  await killedAtFanOut(victim, target, connect);
  await connect();
  const got = (): { n: unknown; id: unknown }[] =>
    clients
      .flatMap(({ frames }) => frames.filter((frame) => frame['topic'] === 'test'))
      .map((frame) => ({ n: (frame['payload'] as { n?: unknown }).n, id: frame['notification_id'] }));
  await until(
    () => Promise.resolve(new Set(got().map(({ n }) => n)).size),
    (size) => size === TOTAL,
  );
  // Bob is in the room of the many too, whose fan-out goes on when its lease has run out.
  await until(
    async () => (await inboxOf(target, BOB)).total,
    (total) => total === TOTAL + 1,
  );
  expect(sender.ids.size).toBe(TOTAL);
  expect(got().filter(({ n, id }) => sender.ids.get(n as number) !== id)).toEqual([]);
});

/** More targets than one batch: what the killed worker had not got to is done by the next one. */
async function killedAtFanOut(
  victim: RestartingServer,
  target: WriterTarget,
  connect: (userId: string) => Promise<WsClient>,
): Promise<void> {
  const many = Array.from({ length: 2000 }, (_, i) => `user${String(i).padStart(4, '0')}`);
  const { room_id } = bodyOf(
    await target.as(BOB).post<{ room_id: string }>('/rooms', { type: 'group', members: many.slice(0, 1000) }),
    201,
  );
  const targets = { room_id, user_ids: many.slice(1000) };
  const body = { topic: 'many', payload: {}, targets };
  const { notification_id } = bodyOf(await target.as(BOB).post<{ notification_id: string }>('/notify', body), 202);
  await victim.killServer();
  const last = await connect('user1999');

  expect(await last.frame('notification', LEASE_MS)).toMatchObject({ notification_id });
  for (const user of ['user0000', 'user0999', 'user1000', 'user1500'])
    expect([user, (await inboxOf(target, user)).total]).toEqual([user, 1]);
}

async function inboxOf(target: WriterTarget, userId: string): Promise<InboxBody> {
  return bodyOf(await target.as(userId).get<InboxBody>('/notifications?limit=1'));
}

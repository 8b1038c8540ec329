import { Api } from '../support/http/api';
import { until } from '../support/poll';
import { bodyOf } from '../support/rooms';
import { createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { RestartingServer } from '../support/restarting-server';
import type { WriterTarget } from '../support/message-writers';
import { Receiver } from '../support/webhooks/receiver';

const TOTAL = 150;
/** Messages answered before each of the kills. */
const WORK = [40, 80, 120];
/** The leases of a killed server have to run out before another posts what it had begun. */
const LEASE_MS = 60_000;

const servers = new Servers();
let receiver: Receiver;
beforeEach(async () => {
  receiver = await Receiver.start();
});
afterEach(async () => {
  await receiver.stop();
  await servers.cleanUp();
});

it('a server that is killed while it posts loses no webhook, and repeats them under their ids', async () => {
  const victim = await RestartingServer.start(servers, {
    WEBHOOK_ALLOW_PRIVATE: 'true',
    WEBHOOK_RETRY_SECONDS: '1,1,1,1,1',
  });
  const target = await createServedTenant(() => victim.url, 1, 3);
  const master = new Api(victim.url, { 'x-master-key': SERVED_MASTER_KEY });
  const webhook = { url: receiver.url, events: ['message.created', 'room.created'] };
  const path = `/admin/tenants/${target.tenantId}`;
  const { webhook_secret } = bodyOf(await master.patch<{ webhook_secret: string }>(path, { settings: { webhook } }));
  receiver.secret = webhook_secret;
  // Answers late, so that a kill always finds posts on their way; the first of each tenth message fails.
  receiver.answer = (response, { data }, n) => {
    const { seq } = (data['message'] ?? { seq: 1 }) as { seq: number };
    setTimeout(() => response.writeHead(seq % 10 === 0 && n === 1 ? 500 : 204).end(), 50);
  };

  const sent = new Set<string>();
  const sending = sendAll(target, sent);
  for (const work of WORK) {
    await until(
      () => Promise.resolve(sent.size),
      (size) => size >= work,
      LEASE_MS,
    );
    await victim.killServer();
  }
  await sending;

  const got = await until(
    () => Promise.resolve(idsOf(receiver)),
    (ids) => ids.size >= TOTAL,
    LEASE_MS,
  );
  expect([...got.keys()].sort()).toEqual([...sent].sort());
  expect([...got.values()].filter((ids) => ids.size !== 1)).toEqual([]);
  expect(receiver.refused).toEqual([]);
  const { failed_webhooks } = bodyOf(
    await target.as(target.userIds[0] ?? '').get<{ failed_webhooks: [] }>('/admin/dead-letters'),
  );
  expect(failed_webhooks).toEqual([]);
});

/** Sends every message until it is answered. */
async function sendAll({ as, userIds, roomIds }: WriterTarget, sent: Set<string>): Promise<void> {
  const say = async (n: number): Promise<void> => {
    const url = `/rooms/${roomIds[n % roomIds.length] ?? ''}/messages`;
    const answer = await until(
      () =>
        as(userIds[0] ?? '')
          .post<{ message_id: string }>(url, { content: `message ${n}`, client_message_id: `m${n}` })
          .catch(() => undefined),
      (given) => given?.status === 201,
    );
    sent.add(answer?.body.message_id ?? '');
  };
  for (let n = 0; n < TOTAL; n += 5) await Promise.all([0, 1, 2, 3, 4].map((i) => say(n + i)));
}

/** Under which ids each message was posted. */
function idsOf({ received }: Receiver): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>();
  for (const { type, id, data } of received) {
    if (type !== 'message.created') continue;
    const { message_id } = data['message'] as { message_id: string };
    ids.set(message_id, (ids.get(message_id) ?? new Set()).add(id));
  }
  return ids;
}

/** Work of the kinds of jobs that tell somebody something. */
import { createChat, messagesOf, sayStreaming } from '../chats/http';
import { chatFaults } from '../chats/crash-fixture';
import type { InboxBody } from '../notifications';
import { until } from '../poll';
import { createRoom } from '../rooms';
import { uuidOf } from '../tenants';
import type { Receiver } from '../webhooks/receiver';
import { type CrashSite, type JobWork, wrong } from './site';

const JOINING = 500;
const SENT = 8;
/** As many as one call may name. */
const TARGETS = 1000;
/** Members of the room, in thousands: the fan-out takes so many steps that one of them is met. */
const THOUSANDS = 6;

/** An answer of a model, which waits in the middle of it. */
export async function answering(site: CrashSite): Promise<JobWork> {
  const { tenantId, as } = await site.tenant();
  const { id } = await createChat(as('alice'));
  const asked: string[] = [];
  return {
    tenantId,
    begin: async () => {
      const question = { content: `question ${asked.length}`, client_message_id: `m${asked.length}` };
      const ask = async (): Promise<string> => {
        const stream = await sayStreaming(as('alice'), id, question);
        const [received] = await stream.take(1);
        stream.cut();
        return String(received?.data['message_id']);
      };
      const given = await until(
        () => ask().catch(() => ''),
        (messageId) => messageId.startsWith('msg_'),
      );
      asked.push(given);
    },
    isHalfDone: async () => (await site.count('run_chunks WHERE tenant_id = $1', uuidOf(tenantId))) > 0,
    faults: async () => {
      site.openModel();
      const all = await until(
        () => messagesOf(as('alice'), id).catch(() => []),
        (messages) => messages.filter(({ sender_role }) => sender_role === 'assistant').length >= asked.length,
      );
      return chatFaults(all, asked, () => site.wholeAnswer);
    },
  };
}

/** Turns what happened into deliveries: a crowd that joins. */
export async function planning(site: CrashSite): Promise<JobWork> {
  const tenant = await site.tenant();
  const receiver = await site.receiver(tenant, 'member.joined');
  const { room_id } = await createRoom(tenant.as('ann'), 'group', []);
  const joined: string[] = [];
  return {
    tenantId: tenant.tenantId,
    begin: async () => {
      const user_ids = Array.from({ length: JOINING }, (_, i) => `user${joined.length + i}`);
      await site.insist(() => tenant.as('ann').post(`/rooms/${room_id}/members`, { user_ids }));
      joined.push(...user_ids);
    },
    isHalfDone: async () => {
      const planned = await deliveries(site, tenant.tenantId);
      return planned > joined.length - JOINING && planned < joined.length;
    },
    faults: async () => {
      const told = ({ member }: { member?: { user_id?: string } }): string => member?.user_id ?? '';
      return postsFaults(site, tenant.tenantId, receiver, joined, told);
    },
  };
}

/** Posts what was planned; nobody answers the first time. */
export async function delivering(site: CrashSite): Promise<JobWork> {
  const tenant = await site.tenant();
  const receiver = await site.receiver(tenant, 'message.created');
  receiver.answer = (response, _received, n) => {
    if (n > 1) response.writeHead(204).end();
  };
  const { room_id } = await createRoom(tenant.as('ann'), 'group', []);
  const sent: string[] = [];
  return {
    tenantId: tenant.tenantId,
    begin: async () => {
      for (let n = 0; n < SENT; n++) {
        const message = { content: 'hello', client_message_id: `m${sent.length}` };
        const call = () => tenant.as('ann').post<{ message_id: string }>(`/rooms/${room_id}/messages`, message);
        sent.push((await site.insist(call, 201)).message_id);
      }
    },
    isHalfDone: () => Promise.resolve(receiver.received.length > 0),
    faults: async () => {
      const told = ({ message }: { message?: { message_id?: string } }): string => message?.message_id ?? '';
      return postsFaults(site, tenant.tenantId, receiver, sent, told);
    },
  };
}

function deliveries(site: CrashSite, tenantId: string, where = 'true'): Promise<number> {
  return site.count(`webhook_deliveries WHERE tenant_id = $1 AND ${where}`, uuidOf(tenantId));
}

/** Each of what happened is delivered, under one id. @param told which of them a post is about */
async function postsFaults(
  site: CrashSite,
  tenantId: string,
  { received, refused }: Receiver,
  happened: readonly string[],
  told: (data: object) => string,
): Promise<string[]> {
  const delivered = await until(
    () => deliveries(site, tenantId, `state = 'delivered'`),
    (n) => n >= happened.length,
  );
  const ids = new Map(received.map(({ id, data }) => [id, told(data)]));
  return [
    ...wrong('deliveries', [delivered, await deliveries(site, tenantId)], [happened.length, happened.length]),
    ...wrong('what was posted', [...ids.values()].sort(), [...happened].sort()),
    ...wrong('posts with a bad signature', refused, []),
  ];
}

/** Hands notifications out, to more than one batch of users. */
export async function fanningOut(site: CrashSite): Promise<JobWork> {
  const { tenantId, as } = await site.tenant();
  const inRoom = THOUSANDS * TARGETS;
  const users = Array.from({ length: inRoom + TARGETS }, (_, i) => `user${i}`);
  const { room_id } = await createRoom(as('user0'), 'group', users.slice(1, TARGETS));
  for (let from = TARGETS; from < inRoom; from += TARGETS) {
    const user_ids = users.slice(from, from + TARGETS);
    await site.insist(() => as('user0').post(`/rooms/${room_id}/members`, { user_ids }));
  }
  const ids = new Set<string>();
  const spread = (): Promise<number> => site.count('notification_deliveries WHERE tenant_id = $1', uuidOf(tenantId));
  return {
    tenantId,
    begin: async () => {
      const targets = { room_id, user_ids: users.slice(inRoom) };
      const headers = { 'idempotency-key': `notification ${ids.size}` };
      const call = () =>
        as('user0').post<{ notification_id: string }>('/notify', { topic: 'test', payload: {}, targets }, { headers });
      ids.add((await site.insist(call, 202)).notification_id);
    },
    isHalfDone: async () => {
      const now = await spread();
      return now > (ids.size - 1) * users.length && now < ids.size * users.length;
    },
    faults: async () => {
      const now = await until(spread, (n) => n >= ids.size * users.length);
      const inbox = (user: string): Promise<number> =>
        site.insist<InboxBody>(() => as(user).get('/notifications?limit=1')).then(({ total }) => total);
      const some = [0, inRoom - 1, inRoom, users.length - 1].map((i) => inbox(`user${i}`));
      return [
        ...wrong('notifications that are stored', now, ids.size * users.length),
        ...wrong(
          'how many some users have',
          await Promise.all(some),
          some.map(() => ids.size),
        ),
      ];
    },
  };
}

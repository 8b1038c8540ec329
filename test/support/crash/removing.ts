/** Work of the kinds of jobs that remove something. */
import { type DeletionBody, deleteTenant, deletionPath, skipQuiet } from '../deletions';
import type { ErasureBody } from '../erase';
import { until } from '../poll';
import { createRoom } from '../rooms';
import { uuidOf } from '../tenants';
import { type CrashSite, type JobWork, wrong } from './site';

const MESSAGES = 6000;
/** Of those that retention keeps. */
const NEW = 20;

export async function retention(site: CrashSite): Promise<JobWork> {
  const { tenantId, as } = await site.tenant();
  const { room_id } = await createRoom(as('ann'), 'group', []);
  await site.fill(room_id, MESSAGES, { age: '40 days' });
  await site.fill(room_id, NEW);
  const left = (): Promise<number> => site.count('messages WHERE tenant_id = $1', uuidOf(tenantId));
  return {
    tenantId,
    begin: async () => {
      const settings = { retention_days: 30 };
      await site.insist(() => site.master.patch(`/admin/tenants/${tenantId}`, { settings }));
    },
    isHalfDone: async () => {
      const now = await left();
      return now < MESSAGES + NEW && now > NEW;
    },
    isOver: async () => (await left()) <= NEW,
    faults: async () => {
      await until(left, (now) => now <= NEW);
      const [room] = await site.victim.sql(
        'SELECT first_seq::int, last_seq::int FROM rooms WHERE room_id = $1',
        uuidOf(room_id),
      );
      const trims = `room_events WHERE room_id = $1 AND type = 'room.trimmed'`;
      return [
        ...wrong('messages that are kept', await left(), NEW),
        ...wrong('a room that was trimmed', room, { first_seq: MESSAGES + 1, last_seq: MESSAGES + NEW }),
        ...wrong('events of trimming', await site.count(trims, uuidOf(room_id)), 1),
      ];
    },
  };
}

export async function erase(site: CrashSite): Promise<JobWork> {
  const { tenantId, as } = await site.tenant();
  const { room_id } = await createRoom(as('ann'), 'group', ['zoe']);
  await site.fill(room_id, MESSAGES, { sender: `CASE n % 2 WHEN 0 THEN 'zoe' ELSE 'ann' END` });
  const of = (user: string): Promise<number> =>
    site.count(`messages WHERE tenant_id = $1 AND sender_id = $2 AND content <> ''`, uuidOf(tenantId), user);
  const path = `/admin/tenants/${tenantId}`;
  let id = '';
  return {
    tenantId,
    begin: async () => {
      const headers = { 'idempotency-key': `erase of ${tenantId}` };
      const begun = await site.insist<{ erasure_id: string }>(
        () => site.master.post(`${path}/users/zoe/erase`, undefined, { headers }),
        202,
      );
      id = begun.erasure_id;
    },
    isHalfDone: async () => {
      const now = await of('zoe');
      return now < MESSAGES / 2 && now > 0;
    },
    isOver: async () => (await of('zoe')) === 0,
    faults: async () => {
      const { counts, state } = await until(
        () => site.insist<ErasureBody>(() => site.master.get(`${path}/erasures/${id}`)),
        (now) => now.state === 'done' || now.state === 'failed',
      );
      return [
        ...wrong('an erase', state, 'done'),
        ...wrong(
          'what it has erased',
          [counts['messages'], counts['memberships'], counts['users']],
          [MESSAGES / 2, 1, 1],
        ),
        ...wrong('messages of the erased', await of('zoe'), 0),
        ...wrong('messages of the others', await of('ann'), MESSAGES / 2),
      ];
    },
  };
}

export async function deletion(site: CrashSite): Promise<JobWork> {
  const { tenantId, as } = await site.tenant();
  const { room_id } = await createRoom(as('ann'), 'group', ['zoe']);
  await site.fill(room_id, MESSAGES);
  const rows = (table: string): Promise<number> => site.count(`${table} WHERE tenant_id = $1`, uuidOf(tenantId));
  return {
    tenantId,
    begin: async () => {
      await site.insist(() => deleteTenant(site.master, tenantId, 'served'), 202);
      await skipQuiet({ sql: (text, values = []) => site.victim.sql(text, ...values) }, tenantId);
    },
    isHalfDone: async () => {
      const now = await rows('messages');
      return now < MESSAGES && now > 0;
    },
    isOver: async () => (await rows('messages')) === 0,
    faults: async () => {
      const { deleted } = await until(
        () => site.insist<DeletionBody>(() => site.master.get(deletionPath(tenantId))),
        ({ state }) => state === 'done',
      );
      const counted = ['messages', 'rooms', 'room_members', 'tenants'].map((table) => deleted[table]);
      const left = ['messages', 'rooms', 'users', 'jobs', 'tenants'].map(rows);
      return [
        ...wrong('what was deleted of a tenant', counted, [MESSAGES, 1, 2, 1]),
        ...wrong('what is left of it', await Promise.all(left), [0, 0, 0, 0, 0]),
      ];
    },
  };
}

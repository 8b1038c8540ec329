/** Work of the job that collects changes. */
import { until } from '../poll';
import { createRoom } from '../rooms';
import { ChangesFollower } from '../tenant-changes';
import { uuidOf } from '../tenants';
import { type CrashSite, type JobWork, wrong } from './site';

/** Looked at 500 at a time. */
const ROOMS = 12_000;
const SENT = 10;

/** Looks at all rooms of a tenant while messages are sent: a back end is told of each of them. */
export async function collecting(site: CrashSite): Promise<JobWork> {
  const { tenantId, as } = await site.tenant();
  const { room_id } = await createRoom(as('ann'), 'group', []);
  await site.victim.sql(
    `INSERT INTO rooms (tenant_id, room_id, type) SELECT $1, gen_random_uuid(), 'group' FROM generate_series(1, $2::int)`,
    uuidOf(tenantId),
    ROOMS,
  );
  const looked = (): Promise<number> => site.count('tenant_feed_rooms WHERE tenant_id = $1', uuidOf(tenantId));
  let follower: ChangesFollower | undefined;
  return {
    tenantId,
    begin: async () => {
      follower = await insisting(() => ChangesFollower.begin(as('ann')));
      for (let n = 1; n <= SENT; n++) {
        const message = { content: `${n}`, client_message_id: `c${n}` };
        await site.insist(() => as('ann').post(`/rooms/${room_id}/messages`, message), 201);
      }
    },
    isOver: async () => (await looked()) > ROOMS,
    isHalfDone: async () => {
      const now = await looked();
      return now > 0 && now <= ROOMS;
    },
    faults: async () => {
      const told = await until(
        () => toldOf(follower, room_id),
        (seqs) => new Set(seqs).size >= SENT,
      );
      const left = `jobs WHERE tenant_id = $1 AND kind = 'feed'`;
      await until(
        () => site.count(left, uuidOf(tenantId)),
        (n) => n === 0,
      );
      return [
        ...wrong(
          'messages that a back end was told of',
          told,
          Array.from({ length: SENT }, (_, i) => i + 1),
        ),
        ...wrong('rooms that were looked at', await looked(), ROOMS + 1),
      ];
    },
  };
}

async function toldOf(follower: ChangesFollower | undefined, roomId: string): Promise<number[]> {
  if (follower === undefined) return [];
  await insisting(() => follower.read());
  return follower.of(roomId).flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
}

/** Asks until it is answered: the server may be away. */
async function insisting<T extends object>(ask: () => Promise<T>): Promise<T> {
  const found = await until(
    () => ask().catch(() => undefined),
    (answer) => answer !== undefined,
  );
  if (found === undefined) throw new Error('no answer');
  return found;
}

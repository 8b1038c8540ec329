import { startTestApp, type TestApp } from '../support/app';
import { BackupsFixture } from '../support/backups';
import { createEmptyDatabase, type TestDatabase } from '../support/database';
import { send } from '../support/messages';
import { MAX_WAIT_MS } from '../support/timing';
import { until } from '../support/poll';
import { createRoom } from '../support/rooms';

const SENDERS = 24;
const ROOMS = 5;
/** Before, while and after the backup; a bound for those meanwhile. */
const BEFORE = 1500;
const AFTER = 300;
const MOST = 40_000;

interface Sent {
  readonly roomId: string;
  readonly seq: number;
  readonly messageId: string;
  /** By one clock, in the order of what happened: when it was first sent, and when it was acknowledged. */
  readonly sentAt: number;
  readonly ackedAt: number;
}

describe('S1 (a): a backup while messages are sent', () => {
  const backups = new BackupsFixture();
  let app: TestApp;
  let target: TestDatabase;
  const acked: Sent[] = [];
  let isOver = false;
  let clock = 0;

  beforeAll(async () => {
    app = await startTestApp();
    target = await createEmptyDatabase();
  });
  afterAll(async () => {
    isOver = true;
    await app.close();
    await target.drop();
    backups.remove();
  });

  async function check(begun: number, ended: number): Promise<void> {
    const stored = await target.sql<{ seq: string; id: string }>(
      `SELECT m.seq, replace(m.message_id::text, '-', '') AS id FROM messages m`,
    );
    const present = new Set(stored.map(({ id }) => `msg_${id}`));
    const [inside, outside] = [
      acked.filter((m) => present.has(m.messageId)),
      acked.filter((m) => !present.has(m.messageId)),
    ];
    // What was acknowledged before is in, what was sent afterwards is not; and in between there is one point.
    expect(outside.filter(({ ackedAt }) => ackedAt < begun)).toEqual([]);
    expect(inside.filter(({ sentAt }) => sentAt > ended)).toEqual([]);
    const newestInside = inside.reduce((most, { sentAt }) => Math.max(most, sentAt), 0);
    expect(outside.filter(({ ackedAt }) => ackedAt < newestInside)).toEqual([]);
    expect(inside.length).toBeGreaterThanOrEqual(BEFORE);
    expect(outside.length).toBeGreaterThanOrEqual(AFTER);
    // Each room is whole from its first message to its last, which is where its row says that it ends.
    const gaps = await target.sql(
      `SELECT r.room_id, r.last_seq, count(m.seq), max(m.seq) FROM rooms r LEFT JOIN messages m USING (tenant_id, room_id)
       GROUP BY r.tenant_id, r.room_id, r.last_seq
       HAVING count(m.seq) <> r.last_seq OR COALESCE(max(m.seq), 0) <> r.last_seq`,
    );
    expect(gaps).toEqual([]);
    const seqs = new Map(stored.map(({ id, seq }) => [`msg_${id}`, Number(seq)]));
    expect(inside.filter((m) => seqs.get(m.messageId) !== m.seq)).toEqual([]);
  }

  it('is the acknowledged history up to one point in time, over all rooms', async () => {
    const tenant = await app.tenant();
    const users = Array.from({ length: SENDERS }, (_, i) => `u${i}`);
    const rooms: string[] = [];
    for (let n = 0; n < ROOMS; n++) rooms.push((await createRoom(tenant.as('u0'), 'group', users.slice(1))).room_id);
    const sending = Promise.all(
      users.map(async (user, i) => {
        for (let n = i; !isOver && acked.length < MOST; n++) {
          const roomId = rooms[n % ROOMS] ?? '';
          const sentAt = ++clock;
          const { seq, message_id } = await send(tenant.as(user), roomId, { content: `${user} says ${n}`.repeat(20) });
          acked.push({ roomId, seq, messageId: message_id, sentAt, ackedAt: ++clock });
        }
      }),
    );
    const more = async (count: number): Promise<void> => {
      const enough = acked.length + count;
      await until(
        () => Promise.resolve(acked.length),
        (now) => now >= enough,
        MAX_WAIT_MS,
      );
    };
    await more(BEFORE);
    const begun = ++clock;
    const made = await backups.make(app.database.connection, { isGentle: true });
    const ended = ++clock;
    await more(AFTER);
    isOver = true;
    await sending;

    await backups.restore(made.file, target.connection);
    await check(begun, ended);
  }, 900_000);
});

import type { Client } from 'pg';
import type { Move } from '../../src/modules/delivery/delivery.repository';
import type { DeadLettersFixture } from './dead-letters-fixture';

const MESSAGES = 8;
const GROUP = `SELECT g.item, g.status FROM cursors_advance($1, $2, $3, $4, $5) g ORDER BY g.item`;
const ONE = `SELECT cursor_advance($1, $2, $3, $4, $5)`;
const ADD = `SELECT dead_letters_add($1, $2, $3, $4, $5, 5, 'ack timeout')`;
const DROP = `SELECT dead_letters_drop($1, dead_letter_id((SELECT min(letter_no) FROM dead_letters
  WHERE tenant_id = $1 AND room_id = $2 AND user_id = $3), $4))`;
const REPLAY = `SELECT dead_letters_replay($1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1000)`;

/** Connections that a race needs. */
export const RACERS = 8;

/** Groups, acks of one, and all that writes letters, at once on the same cursors, new ones: a deadlock fails one of them. */
export class CursorRace {
  /** Room and user → the furthest that was said to be stored. */
  private readonly acked = new Map<string, number>();
  private readonly random: (below: number) => number;

  private constructor(
    private readonly site: DeadLettersFixture,
    private readonly keys: readonly Pick<Move, 'roomId' | 'userId'>[],
    seed: number,
  ) {
    this.random = numbers(seed);
  }

  static async make(site: DeadLettersFixture, seed: number): Promise<CursorRace> {
    const rooms = await Promise.all(Array.from({ length: 3 }, () => site.room(MESSAGES)));
    const keys = rooms.flatMap((roomId) => ['ann', 'ben'].map((userId) => ({ roomId, userId })));
    return new CursorRace(site, keys, seed);
  }

  /** Rejects with what any of them failed of. */
  async run(clients: readonly Client[]): Promise<void> {
    const { group, one, add, drop, replay } = CursorRace.prototype;
    const racers = [group, group, group, one, add, add, drop, replay];
    await Promise.all(clients.map(async (client, i) => racers[i]?.call(this, client)));
  }

  /** What was said to be stored is, nothing else, and every letter lies beyond its cursor. */
  async check(): Promise<void> {
    for (const { roomId, userId } of this.keys) {
      const [cursor] = await this.site.sql<{ acked: number }>(
        `SELECT acked_seq::int AS acked FROM cursors WHERE tenant_id = $1 AND room_id = $2 AND user_id = $3`,
        roomId,
        userId,
      );
      const acked = cursor?.acked ?? 0;
      expect(acked).toBe(this.acked.get(`${roomId}/${userId}`) ?? 0);
      for (const run of await this.site.runs(roomId, userId)) expect(run.from).toBeGreaterThan(acked);
    }
  }

  /** The first one finds no cursors, the next ones those that the others hold. */
  private async group(client: Client): Promise<void> {
    for (let n = 0; n < 4; n++) {
      const moves = this.moves(12);
      const { rows } = await client.query<{ status: string }>(GROUP, [
        this.site.tenantId,
        ...[moves.map((m) => m.roomId), moves.map((m) => m.userId)],
        ...[moves.map((m) => m.seq), moves.map((m) => m.isRead)],
      ]);
      expect(rows).toHaveLength(moves.length);
      moves.forEach((move, i) => this.note(move, rows[i]?.status ?? ''));
    }
  }

  private async one(client: Client): Promise<void> {
    for (const move of this.moves(6)) {
      await client.query(ONE, [this.site.tenantId, move.roomId, move.userId, move.seq, move.isRead]);
      this.note(move, 'ok');
    }
  }

  private async add(client: Client): Promise<void> {
    for (const { roomId, userId, seq } of this.moves(6))
      await client.query(ADD, [this.site.tenantId, roomId, userId, seq, Math.min(seq + 3, MESSAGES)]);
  }

  private async drop(client: Client): Promise<void> {
    for (const { roomId, userId, seq } of this.moves(6))
      await client.query(DROP, [this.site.tenantId, roomId, userId, seq]);
  }

  private async replay(client: Client): Promise<void> {
    for (let n = 0; n < 4; n++) await client.query(REPLAY, [this.site.tenantId]);
  }

  private moves(count: number): Move[] {
    return Array.from({ length: count }, () => {
      const key = this.keys[this.random(this.keys.length)];
      if (key === undefined) throw new Error('there are no keys');
      return { ...key, seq: 1 + this.random(MESSAGES), isRead: this.random(2) === 0 };
    });
  }

  private note({ roomId, userId, seq }: Move, status: string): void {
    expect(['ok', 'busy']).toContain(status);
    const key = `${roomId}/${userId}`;
    if (status === 'ok') this.acked.set(key, Math.max(seq, this.acked.get(key) ?? 0));
  }
}

/** Whole numbers below a bound, the same for one seed (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below);
  };
}

import fc from 'fast-check';
import { AppError } from '../../src/common/errors';
import { isStored, type Appended, type NewMessage } from '../../src/modules/messages/appender/item';
import { messageEdit } from '../../src/modules/messages/messages.functions';
import { memberRemove, membersAdd } from '../../src/modules/rooms/rooms.functions';
import { type AppendFixture, checkLog, type HeldRoom, messageTo, type RoomRef } from './append-model';

/** One thing that happens. Sends are not waited for; the rest is. */
export type AppendStep =
  | {
      readonly do: 'send';
      readonly room: number;
      readonly sender: string;
      readonly clientId: string | null;
      readonly body: string;
    }
  | { readonly do: 'remove' | 'add' | 'hold' | 'release' | 'edit'; readonly room: number }
  | { readonly do: 'kill' }
  | { readonly do: 'breathe' };

const room = fc.integer({ min: 0, max: 1 });

/** A random step; mostly sends. */
export const appendStep: fc.Arbitrary<AppendStep> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      room,
      sender: fc.constantFrom('alice', 'bob'),
      clientId: fc.option(fc.constantFrom('c1', 'c2', 'c3'), { freq: 2 }),
      body: fc.constantFrom('x', 'y'),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('remove', 'add', 'hold', 'release', 'edit'), room }) },
  { weight: 1, arbitrary: fc.constantFrom({ do: 'kill' as const }, { do: 'breathe' as const }) },
);

interface Sent {
  readonly message: NewMessage;
  readonly result: Promise<Appended | Error>;
}

const MB = 1024 * 1024;

/**
 * Plays the steps on a group commit of its own, which waits so long for rooms, and compares answers with the log; returns
 * what is wrong.
 * The model: a log per room is seq 1…N; an answer says truly where its message stands; a message is stored at most
 * once per (sender, client id); what was refused, or reported as not written, is not stored; messages without a
 * client id stand in the order in which they were handed in; nothing is stored that nobody sent.
 */
export async function simulateAppends(
  bench: AppendFixture,
  rooms: readonly RoomRef[],
  steps: readonly AppendStep[],
  lockMs: number,
): Promise<string[]> {
  const play = new Play(bench, rooms, lockMs);
  for (const one of steps) await play.run(one);
  return play.finish();
}

class Play {
  private readonly commits;
  private readonly sent: Sent[] = [];
  private readonly holds = new Map<number, HeldRoom>();
  private readonly besides: Promise<unknown>[] = [];

  constructor(
    private readonly bench: AppendFixture,
    private readonly rooms: readonly RoomRef[],
    lockMs: number,
  ) {
    this.commits = bench.groupCommit({ batch: { items: 8, bytes: MB }, share: { items: 3, bytes: MB }, lockMs });
  }

  async run(one: AppendStep): Promise<void> {
    if (one.do === 'kill') await this.bench.killBusySessions();
    else if (one.do === 'breathe') await new Promise((resolve) => setImmediate(resolve));
    else await this.runIn(this.rooms[one.room] as RoomRef, one);
  }

  async finish(): Promise<string[]> {
    for (const held of this.holds.values()) await held.release();
    const answers = await Promise.all(
      this.sent.map(async ({ message, result }) => ({ message, result: await result })),
    );
    await Promise.all(this.besides);
    await this.commits.idle();
    const faults: string[] = this.commits.size === 0 ? [] : [`${this.commits.size} messages never left`];
    for (const room of this.rooms)
      faults.push(
        ...(await this.faultsOf(
          room,
          answers.filter(({ message }) => message.roomId === room.roomId),
        )),
      );
    return faults;
  }

  private async runIn(room: RoomRef, one: Exclude<AppendStep, { do: 'kill' | 'breathe' }>): Promise<void> {
    switch (one.do) {
      case 'send': {
        const message = messageTo(room, { senderId: one.sender, clientMessageId: one.clientId, content: one.body });
        const result = this.commits.append(message).catch((error: unknown) => error as Error);
        this.sent.push({ message, result });
        return;
      }
      case 'hold':
        // A room that functions wait for cannot be had at once, and who waits here could not let go of the other.
        if (!this.holds.has(one.room) && this.holds.size === 0) this.holds.set(one.room, await this.bench.hold(room));
        return;
      case 'release': {
        const held = this.holds.get(one.room);
        this.holds.delete(one.room);
        await held?.release();
        return;
      }
      case 'edit':
        this.beside(this.editNewest(room));
        return;
      case 'remove':
        this.beside(this.bench.call(room, memberRemove, { p_room: room.roomId, p_actor: 'alice', p_user: 'bob' }));
        return;
      case 'add':
        this.beside(
          this.bench.call(room, membersAdd, {
            p_room: room.roomId,
            p_actor: 'alice',
            p_users: ['bob'],
            p_role: 'member',
          }),
        );
        return;
    }
  }

  /** It may be killed like everything else. */
  private beside(effect: Promise<unknown>): void {
    this.besides.push(effect.catch(() => undefined));
  }

  private async editNewest(room: RoomRef): Promise<void> {
    const newest = (await this.bench.log(room)).at(-1);
    if (!newest) return;
    const target = { p_room: room.roomId, p_message: newest.message_id, p_user: newest.sender_id };
    await this.bench.call(room, messageEdit, { ...target, p_content: 'edited' });
  }

  private async faultsOf(
    room: RoomRef,
    answers: readonly { message: NewMessage; result: Appended | Error }[],
  ): Promise<string[]> {
    const log = await this.bench.log(room);
    const faults: string[] = [];
    try {
      checkLog(log);
    } catch (error) {
      faults.push(String(error));
    }
    const { last_seq, last_rev } = await this.bench.counters(room);
    if (last_seq !== log.length) faults.push(`last_seq ${last_seq}, messages ${log.length}`);
    if (new Set(log.map((m) => m.rev)).size !== log.length || log.some((m) => m.rev > last_rev))
      faults.push('revisions are not unique, or beyond last_rev');
    const byId = new Map(log.map((m) => [m.message_id, m]));
    const sentIds = new Set(answers.map(({ message }) => message.messageId));
    if (log.some((m) => !sentIds.has(m.message_id))) faults.push('a message that nobody sent');
    let newest = 0;
    for (const { message, result } of answers) {
      const stored = byId.get(message.messageId);
      if (result instanceof Error) {
        const isNone = result instanceof AppError && result.details?.['outcome'] === 'none';
        if (!(result instanceof AppError)) faults.push(`an unexpected error: ${result.message}`);
        if (isNone && stored) faults.push('reported as not written, but stored');
      } else if (isStored(result)) {
        const at = log[result.seq - 1];
        if (at?.message_id !== result.messageId) faults.push(`answer says seq ${result.seq}, the log does not`);
        if (at && (at.sender_id !== message.senderId || at.client_message_id !== message.clientMessageId))
          faults.push(`answer names somebody else's message`);
        if (at && at.content !== message.content && at.content !== 'edited') faults.push('answer names another body');
        if ((result.status === 'new') !== (result.messageId === message.messageId))
          faults.push(`${result.status} but ${result.messageId}`);
        if (message.clientMessageId === null) {
          if (result.seq <= newest) faults.push(`seq ${result.seq} after ${newest}`);
          newest = result.seq;
        }
      } else if (stored) faults.push(`${result.status}, but stored`);
    }
    return faults;
  }
}

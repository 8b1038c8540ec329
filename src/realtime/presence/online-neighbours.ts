import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Neighbours } from '../feed';

/** Ids gone through in one turn of the event loop: about a millisecond of work. */
export const IDS_PER_TURN = 5000;

/** Divides a long piece of work, so that others have their turn in between. */
export class WorkShare {
  private done = 0;

  /** To be called before so many ids are gone through; what it returns is to be waited for. */
  next(ids: number): Promise<void> | undefined {
    this.done += ids;
    if (this.done <= IDS_PER_TURN) return undefined;
    this.done = ids;
    return nextTurn();
  }
}

/** Users whom a snapshot tells of. */
export interface OnlineUsers {
  /** Each once, in no order. */
  readonly ids: () => readonly string[];
  /** The same as elements of a JSON array, without its brackets. */
  readonly json: () => string;
}

/** Says which of these users are online; asked of at most `IDS_PER_TURN` at a time. */
type FindOnline = (userIds: readonly string[]) => Promise<ReadonlySet<string>>;

/** People of any rooms, each once; their numbers count from 0. */
class People {
  readonly ids: string[] = [];
  private readonly numbers = new Map<string, number>();

  find(id: string): number | undefined {
    return this.numbers.get(id);
  }

  numberOf(id: string): number {
    const known = this.numbers.get(id);
    if (known !== undefined) return known;
    this.numbers.set(id, this.ids.length);
    return this.ids.push(id) - 1;
  }
}

/**
 * Who is online of those with whom some users share rooms. Everybody is looked up once, however many of the users share
 * rooms with them, and then lists of numbers are merged.
 */
export class OnlineNeighbours {
  /** By number: the list that had the person last. */
  private readonly lists: Uint32Array;
  private list = 0;

  /**
   * @param elements by number: a comma and the person's id as JSON; empty where the person is offline
   * @param roomsOf per user, the numbers of who is online, by room
   */
  private constructor(
    private readonly people: People,
    private readonly elements: readonly string[],
    private readonly roomsOf: ReadonlyMap<string, readonly (readonly number[])[]>,
  ) {
    this.lists = new Uint32Array(people.ids.length);
  }

  static async among(rooms: Neighbours['rooms'], findOnline: FindOnline, share: WorkShare): Promise<OnlineNeighbours> {
    const people = new People();
    const numbered: { readonly users: readonly string[]; readonly numbers: readonly number[] }[] = [];
    for (const { users, people: ids } of rooms) {
      await share.next(ids.length);
      numbered.push({ users, numbers: ids.map((id) => people.numberOf(id)) });
    }
    const elements = await elementsOf(people.ids, findOnline, share);
    const roomsOf = new Map<string, (readonly number[])[]>();
    for (const { users, numbers } of numbered) {
      await share.next(numbers.length);
      const online = numbers.filter((n) => elements[n] !== '');
      for (const user of users) {
        const mine = roomsOf.get(user);
        if (mine === undefined) roomsOf.set(user, [online]);
        else mine.push(online);
      }
    }
    return new OnlineNeighbours(people, elements, roomsOf);
  }

  /** Everybody who is online. */
  *all(): Generator<string, void> {
    for (const [n, element] of this.elements.entries()) if (element !== '') yield this.people.ids[n] ?? '';
  }

  /** How many ids `of` goes through. */
  costOf(userId: string): number {
    return (this.roomsOf.get(userId) ?? []).reduce((sum, { length }) => sum + length, 0);
  }

  /** At most `most` others who are online in the user's rooms. */
  of(userId: string, most: number): OnlineUsers {
    return {
      ids: () => {
        const ids: string[] = [];
        this.visit(userId, most, (n) => ids.push(this.people.ids[n] ?? ''));
        return ids;
      },
      json: () => {
        // Built by appending: half the time of a list that is joined.
        let text = '';
        this.visit(userId, most, (n) => (text += this.elements[n] ?? ''));
        return text.slice(1);
      },
    };
  }

  private visit(userId: string, most: number, visitor: (n: number) => void): void {
    const { lists } = this;
    const list = ++this.list;
    const own = this.people.find(userId);
    if (own !== undefined) lists[own] = list;
    let left = most;
    for (const room of this.roomsOf.get(userId) ?? [])
      for (const n of room) {
        if (lists[n] === list) continue;
        if (left-- === 0) return;
        lists[n] = list;
        visitor(n);
      }
  }
}

async function elementsOf(ids: readonly string[], findOnline: FindOnline, share: WorkShare): Promise<string[]> {
  const elements: string[] = [];
  for (let from = 0; from < ids.length; from += IDS_PER_TURN) {
    const some = ids.slice(from, from + IDS_PER_TURN);
    await share.next(some.length);
    const online = await findOnline(some);
    for (const id of some) elements.push(online.has(id) ? `,${JSON.stringify(id)}` : '');
  }
  return elements;
}

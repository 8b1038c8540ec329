import * as fc from 'fast-check';
import { runs } from '../../../test/support/timing';
import { type OrderedTask, StartOrder } from './start-order';

/** A list of tasks whose ends the test decides. */
class Play {
  readonly started: number[] = [];
  readonly done: number[] = [];
  readonly order = new StartOrder();
  private readonly ends = new Map<number, () => void>();
  private readonly tasks: Omit<OrderedTask, 'start'>[] = [];

  add(kind: OrderedTask['kind'], rooms: readonly string[] | undefined, isSync = false): number {
    const id = this.tasks.push({ kind, rooms }) - 1;
    const start = (): Promise<void> | undefined => {
      this.started.push(id);
      if (isSync) {
        this.done.push(id);
        return undefined;
      }
      return new Promise((resolve) => this.ends.set(id, resolve));
    };
    this.order.add({ kind, rooms, start });
    return id;
  }

  async end(id: number): Promise<void> {
    this.done.push(id);
    this.ends.get(id)?.();
    this.ends.delete(id);
    await Promise.resolve();
  }

  get running(): number[] {
    return [...this.ends.keys()];
  }

  /** Whether the rule lets a task have started, given what is done and started. */
  mayRun(id: number): boolean {
    const task = this.tasks[id];
    return this.tasks.slice(0, id).every((earlier, other) => {
      const shares =
        !task?.rooms || !earlier.rooms || task.rooms.some((room) => earlier.rooms?.includes(room) === true);
      if (!shares) return true;
      if (task?.kind === 'barrier') return this.done.includes(other);
      return this.started.includes(other);
    });
  }
}

describe('StartOrder', () => {
  it('runs sends side by side', () => {
    const play = new Play();
    play.add('send', ['a']);
    play.add('send', ['a']);
    expect(play.started).toEqual([0, 1]);
  });

  it('lets a barrier wait for the sends of its room, and of no other', async () => {
    const play = new Play();
    play.add('send', ['a']);
    play.add('barrier', ['a']);
    play.add('barrier', ['b']);
    expect(play.started).toEqual([0, 2]);
    await play.end(0);
    expect(play.started).toEqual([0, 2, 1]);
  });

  it('starts a send after the barriers before it have started, not after they are done', async () => {
    const play = new Play();
    play.add('send', ['a']);
    play.add('barrier', ['a']);
    play.add('send', ['a']);
    expect(play.started).toEqual([0]);
    await play.end(0);
    expect(play.started).toEqual([0, 1, 2]);
  });

  it('keeps barriers of a room apart', async () => {
    const play = new Play();
    play.add('barrier', ['a']);
    play.add('barrier', ['a']);
    expect(play.started).toEqual([0]);
    await play.end(0);
    expect(play.started).toEqual([0, 1]);
  });

  it('takes a task without rooms as one of all rooms', async () => {
    const play = new Play();
    play.add('send', ['a']);
    play.add('barrier', undefined);
    play.add('send', ['b']);
    expect(play.started).toEqual([0]);
    await play.end(0);
    expect(play.started).toEqual([0, 1, 2]);
  });

  it('goes on behind a barrier that is done at once', async () => {
    const play = new Play();
    play.add('send', ['a']);
    play.add('barrier', ['a'], true);
    play.add('send', ['a']);
    await play.end(0);
    expect(play.started).toEqual([0, 1, 2]);
  });

  it('forgets what has not started', async () => {
    const play = new Play();
    play.add('send', ['a']);
    play.add('barrier', ['a']);
    play.order.clear();
    await play.end(0);
    expect(play.started).toEqual([0]);
    play.add('barrier', ['a']);
    expect(play.started).toEqual([0, 2]);
  });

  it('keeps its rule, and starts whatever the rule allows, in any play', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constantFrom('send' as const, 'send' as const, 'barrier' as const),
        rooms: fc.oneof(fc.constant(undefined), fc.subarray(['a', 'b', 'c'], { minLength: 1 })),
        isSync: fc.boolean(),
      }),
      fc.nat(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const play = new Play();
        let added = 0;
        const check = (): void => {
          for (let id = 0; id < added; id++) expect(play.started.includes(id)).toBe(play.mayRun(id));
        };
        for (const next of steps) {
          if (typeof next !== 'number') {
            play.add(next.kind, next.rooms, next.isSync);
            added++;
          } else if (play.running.length > 0) await play.end(play.running[next % play.running.length] ?? 0);
          check();
        }
        while (play.running.length > 0) await play.end(play.running[0] ?? 0);
        expect(play.started.length).toBe(added);
        expect(new Set(play.started).size).toBe(added);
      }),
      { numRuns: runs(500) },
    );
  });
});

import { HeapTidier } from './heap';

const MIB = 1024 * 1024;

describe('the heap’s tidier', () => {
  function world(): { use: number; taken: number; collections: number; look: (looks?: number) => number } {
    const heap = {
      use: 0,
      taken: 80 * MIB,
      collections: 0,
      /** How often it has collected after so many more looks. */
      look: (looks = 1): number => {
        for (let i = 0; i < looks; i++) tidier.look();
        return heap.collections;
      },
    };
    const tidier = new HeapTidier({
      use: () => heap.use,
      taken: () => heap.taken,
      collect: () => {
        heap.collections++;
        heap.taken = 50 * MIB;
      },
    });
    return heap;
  }

  it('collects once after the heap grew, and again after it grew once more', () => {
    const heap = world();
    expect([heap.look(4), heap.look(9)]).toEqual([1, 1]);
    heap.taken = 81 * MIB;
    expect(heap.look(9)).toBe(1);
    heap.taken = 82 * MIB;
    expect([heap.look(), heap.look(9)]).toEqual([2, 2]);
  });

  it('waits for four idle looks in a row: a pause between two bursts is none', () => {
    const heap = world();
    for (const use of [0.5, 0.05, 0.05, 0.05, 0.5, 0.05, 0.05, 0.05]) {
      heap.use = use;
      expect(heap.look()).toBe(0);
    }
    expect(heap.look()).toBe(1);
  });
});

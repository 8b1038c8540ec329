import { HeapTidier } from './heap';

const MIB = 1024 * 1024;

describe('the heap’s tidier', () => {
  function world(): { use: number; taken: number; collections: number; look: () => number } {
    const heap = {
      use: 0,
      taken: 80 * MIB,
      collections: 0,
      look: (): number => {
        tidier.look();
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
    expect([heap.look(), heap.look()]).toEqual([1, 1]);
    heap.taken = 81 * MIB;
    expect(heap.look()).toBe(1);
    heap.taken = 82 * MIB;
    expect([heap.look(), heap.look()]).toEqual([2, 2]);
  });

  it('waits for a time in which the loop was idle', () => {
    const heap = world();
    heap.use = 0.5;
    expect([heap.look(), heap.look()]).toEqual([0, 0]);
    heap.use = 0.05;
    expect(heap.look()).toBe(1);
  });
});

import { FIELDS, FRAME_BYTES, MOST_TENANTS, type Numbers, Ring, SLOTS } from './ring';

const MB = 1024 * 1024;

function numbers(value: number): Numbers {
  return Object.fromEntries(FIELDS.map((field) => [field, value])) as Numbers;
}

/** A ring with so many samples, whose ids are 1, 2, … */
function ringOf(samples: number, frameBytes = 1): Ring {
  const ring = new Ring();
  for (let id = 1; id <= samples; id++) {
    ring.begin(id, id * 1000);
    ring.keepFrame(Buffer.alloc(frameBytes, id % 256));
  }
  return ring;
}

/** As the sampler goes about it. */
function second(ring: Ring, id: number, moved: readonly string[]): void {
  for (const tenantId of moved) ring.touch(tenantId);
  ring.begin(id, id * 1000);
  for (const tenantId of ring.places(() => true)) ring.write(tenantId, numbers(id));
}

describe('the ring', () => {
  it('keeps ten minutes of samples, each under its number', () => {
    const ring = ringOf(SLOTS + 5);
    expect([ring.oldest, ring.newest]).toEqual([5, SLOTS + 4]);
    expect(ring.frameOf(4)).toBeUndefined();
    expect(ring.frameOf(5)).toEqual(Buffer.from([6]));
    expect(ring.frameOf(SLOTS + 5)).toBeUndefined();
    expect([ring.idOf(5), ring.timeOf(5)]).toEqual([6, 6000]);
  });

  it.each([
    [0, 5],
    [6, 6],
    [100, 100],
    [SLOTS + 4, SLOTS + 4],
    [SLOTS + 5, SLOTS + 5],
    [1e9, SLOTS + 5],
  ])('after id %d it goes on with sample %d', (id, n) => {
    expect(ringOf(SLOTS + 5).after(id)).toBe(n);
  });

  it('finds its place between ids that were left out', () => {
    const ring = new Ring();
    for (const id of [10, 20, 30]) ring.begin(id, 0);
    expect([0, 10, 15, 20, 29, 30].map((id) => ring.after(id))).toEqual([0, 1, 1, 2, 2, 3]);
    expect(new Ring().after(5)).toBe(0);
  });

  it('holds at most 16 MB, whatever frames are like and however many tenants there are', () => {
    const ring = ringOf(SLOTS, 1);
    let most = 0;
    for (let id = 1; id <= 2 * SLOTS; id++) {
      for (let i = 0; i < 20; i++) ring.touch(`tenant ${id} ${i}`, i === 0);
      ring.begin(SLOTS + id, 0);
      ring.keepFrame(Buffer.alloc(20_000));
      most = Math.max(most, ring.bytes);
    }
    expect(ring.places(() => false)).toHaveLength(MOST_TENANTS);
    expect(most).toBeGreaterThan(MOST_TENANTS * SLOTS * FIELDS.length * 4 + FRAME_BYTES - 20_001);
    expect(most).toBeLessThanOrEqual(16 * MB);
    expect(ring.frameOf(ring.oldest)).toBeUndefined();
    expect(ring.frameOf(ring.newest)).toHaveLength(20_000);
  });

  it('has numbers of a tenant of every sample since it came', () => {
    const ring = new Ring();
    second(ring, 1, []);
    second(ring, 2, ['a']);
    for (let id = 3; id <= SLOTS; id++) second(ring, id, []);
    expect(ring.read('a', 0)).toBeUndefined();
    for (let n = 1; n < SLOTS; n++) expect(ring.read('a', n)?.messages).toBe(n + 1);
    expect(ring.read('a', SLOTS)).toBeUndefined();
    expect(ring.read('b', 1)).toBeUndefined();
  });

  it('lets go of a tenant that is gone when all of its samples are, not of one that is connected', () => {
    const ring = new Ring();
    second(ring, 1, ['gone', 'connected']);
    const places = (): string[] => ring.places((tenantId) => tenantId === 'gone');
    for (let id = 2; id <= SLOTS; id++) ring.begin(id, 0);
    expect(places()).toEqual(['gone', 'connected']);
    ring.begin(SLOTS + 1, 0);
    expect(places()).toEqual(['connected']);
  });

  it('gives the place of a tenant that is idle to one that is not, and to a watched one in any case', () => {
    const ring = new Ring();
    const tenants = Array.from({ length: MOST_TENANTS }, (_, i) => `t${i}`);
    second(ring, 1, tenants);
    ring.touch('late');
    expect(ring.places(() => false)).not.toContain('late');
    ring.touch('watched', true);
    expect(ring.places(() => false)).toContain('watched');
    expect(ring.places(() => false)).not.toContain('t0');
    for (let id = 2; id <= 61; id++) second(ring, id, ['t1']);
    ring.touch('late');
    const places = ring.places(() => false);
    expect(places).toContain('late');
    expect(places).toContain('t1');
    expect(places).not.toContain('t2');
    expect(places).toHaveLength(MOST_TENANTS);
  });
});

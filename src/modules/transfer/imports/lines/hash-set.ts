import { hash } from 'node:crypto';

/**
 * Texts that were seen, of which only 64 bits of a hash are kept: 16 to 32 bytes each, whatever their length. That two of a
 * million texts look like one happens once in 37 million files.
 */
export class HashSet {
  private high = new Uint32Array(64);
  private low = new Uint32Array(64);
  private count = 0;

  get size(): number {
    return this.count;
  }

  has(text: string): boolean {
    const [high, low] = hashOf(text);
    return this.holds(this.placeOf(high, low));
  }

  /** @returns whether it was not there */
  add(text: string): boolean {
    const [high, low] = hashOf(text);
    const place = this.placeOf(high, low);
    if (this.holds(place)) return false;
    this.high[place] = high;
    this.low[place] = low;
    if (++this.count * 2 > this.high.length) this.grow();
    return true;
  }

  clear(): void {
    this.high = new Uint32Array(64);
    this.low = new Uint32Array(64);
    this.count = 0;
  }

  /** Where the hash is, or would be. */
  private placeOf(high: number, low: number): number {
    const mask = this.high.length - 1;
    let place = low & mask;
    while (this.holds(place) && (this.high[place] !== high || this.low[place] !== low)) place = (place + 1) & mask;
    return place;
  }

  /** An empty place has two zeros; no hash does. */
  private holds(place: number): boolean {
    return this.high[place] !== 0 || this.low[place] !== 0;
  }

  private grow(): void {
    const { high, low } = this;
    this.high = new Uint32Array(high.length * 2);
    this.low = new Uint32Array(low.length * 2);
    for (let i = 0; i < high.length; i++) {
      const [a = 0, b = 0] = [high[i], low[i]];
      if (a === 0 && b === 0) continue;
      const place = this.placeOf(a, b);
      this.high[place] = a;
      this.low[place] = b;
    }
  }
}

function hashOf(text: string): readonly [high: number, low: number] {
  const bytes = hash('sha256', text, 'buffer');
  const high = bytes.readUInt32BE(0);
  const low = bytes.readUInt32BE(4);
  return high === 0 && low === 0 ? [0, 1] : [high, low];
}

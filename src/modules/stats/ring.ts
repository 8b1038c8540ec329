import { Injectable } from '@nestjs/common';

/** Samples that are kept: ten minutes of seconds. */
export const SLOTS = 600;
/** Tenants whose figures are kept; a number is 4 bytes. 320 × 600 × 15 × 4 = 11.5 MB. */
export const MOST_TENANTS = 320;
/** Of the frames about all tenants. */
export const FRAME_BYTES = 4 * 1024 * 1024;
/** A tenant that did nothing for so many samples gives its place to one that does something. */
const IDLE_SLOTS = 60;

/** The numbers of a sample, in their order. Not a number: there is none. */
export const FIELDS = [
  'ws',
  'ws_chat',
  'sse',
  'online',
  'rooms_live',
  'messages',
  'deliveries',
  'refused',
  'tokens',
  'p50',
  'p99',
  'append_items',
  'append_bytes',
  'append_oldest_ms',
  'queue_bytes',
] as const;
export type Numbers = Readonly<Record<(typeof FIELDS)[number], number>>;

interface Row {
  /** The sample from which on it has numbers. */
  readonly from: number;
  readonly values: Float32Array;
  movedAt: number;
}

/**
 * The samples of the last ten minutes: what was sent about all tenants, and the numbers of those that did something.
 *
 * Invariants: samples are numbered without a gap (`n`), their ids only rise; what is kept has a bound that no number of
 * tenants raises (`bytes`, 16 MB), and a tenant that is here has numbers of every sample since it came.
 */
@Injectable()
export class Ring {
  /** The number of the newest sample; −1: there is none. */
  newest = -1;
  private readonly ids = new Float64Array(SLOTS);
  private readonly times = new Float64Array(SLOTS);
  private readonly frames: (Buffer | undefined)[] = new Array<Buffer | undefined>(SLOTS).fill(undefined);
  private frameBytes = 0;
  /** The oldest sample whose frame is kept. */
  private oldestFrame = 0;
  /** The idlest first. */
  private readonly tenants = new Map<string, Row>();

  /** What it holds now. */
  get bytes(): number {
    return this.frameBytes + this.tenants.size * SLOTS * FIELDS.length * Float32Array.BYTES_PER_ELEMENT;
  }

  get oldest(): number {
    return Math.max(0, this.newest - SLOTS + 1);
  }

  /** Begins a sample: what is written from here on belongs to it. @param id greater than all before @param atMs since 1970 */
  begin(id: number, atMs: number): void {
    this.newest++;
    this.ids[this.newest % SLOTS] = id;
    this.times[this.newest % SLOTS] = atMs;
    this.drop(this.newest - SLOTS);
  }

  idOf(n: number): number {
    return this.ids[n % SLOTS] ?? 0;
  }

  timeOf(n: number): number {
    return this.times[n % SLOTS] ?? 0;
  }

  /** The first sample after an id; `newest + 1` where there is none. */
  after(id: number): number {
    let n = this.newest + 1;
    while (n > this.oldest && this.idOf(n - 1) > id) n--;
    return n;
  }

  /** What is sent about all tenants. */
  keepFrame(bytes: Buffer): void {
    // Of its own memory: a small one would hold on to the pool that it was cut from.
    const frame = Buffer.from(new Uint8Array(bytes).buffer);
    this.frames[this.newest % SLOTS] = frame;
    this.frameBytes += frame.length;
    while (this.frameBytes > FRAME_BYTES && this.oldestFrame < this.newest) this.drop(this.oldestFrame);
  }

  frameOf(n: number): Buffer | undefined {
    return n < this.oldest || n > this.newest ? undefined : this.frames[n % SLOTS];
  }

  /**
   * Says that a tenant did something with the sample that comes: it gets a place, where one is free or an idle tenant has
   * one. @param isWatched it gets one in any case
   */
  touch(tenantId: string, isWatched = false): void {
    const next = this.newest + 1;
    const known = this.tenants.get(tenantId);
    this.tenants.delete(tenantId);
    if (known === undefined && !this.hasRoom(next, isWatched)) return;
    const row = known ?? { from: next, values: new Float32Array(SLOTS * FIELDS.length), movedAt: next };
    row.movedAt = next;
    this.tenants.set(tenantId, row);
  }

  /** The tenants that have a place. One that has done nothing for as long as the ring reaches, and is `gone`, loses it. */
  places(isGone: (tenantId: string) => boolean): string[] {
    for (const [tenantId, { movedAt }] of this.tenants) {
      if (movedAt > this.newest - SLOTS) break;
      if (isGone(tenantId)) this.tenants.delete(tenantId);
    }
    return [...this.tenants.keys()];
  }

  /** Writes a tenant's numbers of the newest sample. */
  write(tenantId: string, numbers: Numbers): void {
    const row = this.tenants.get(tenantId);
    if (row === undefined) return;
    const at = (this.newest % SLOTS) * FIELDS.length;
    FIELDS.forEach((field, i) => (row.values[at + i] = numbers[field]));
  }

  /** A tenant's numbers of a sample; undefined where it has none. */
  read(tenantId: string, n: number): Numbers | undefined {
    const row = this.tenants.get(tenantId);
    if (row === undefined || n < row.from || n < this.oldest || n > this.newest) return undefined;
    const at = (n % SLOTS) * FIELDS.length;
    return Object.fromEntries(FIELDS.map((field, i) => [field, row.values[at + i] ?? 0])) as Numbers;
  }

  private hasRoom(next: number, isWatched: boolean): boolean {
    if (this.tenants.size < MOST_TENANTS) return true;
    const [idlest] = this.tenants;
    if (idlest === undefined || (!isWatched && idlest[1].movedAt > next - IDLE_SLOTS)) return false;
    return this.tenants.delete(idlest[0]);
  }

  private drop(n: number): void {
    if (n < this.oldestFrame) return;
    this.frameBytes -= this.frames[n % SLOTS]?.length ?? 0;
    this.frames[n % SLOTS] = undefined;
    this.oldestFrame = n + 1;
  }
}

import { createHash } from 'node:crypto';
import type { Address } from '../ports';

/** How many parts the addresses are spread over. The same on all nodes and for ever: what is in order is in one of them. */
const LANES = 16;
const POLYNOMIAL = 0x1021;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ POLYNOMIAL;
  return crc;
});

/** CRC-16/XMODEM of a text's bytes, as Redis has it for its slots. */
function crc16(text: string): number {
  let crc = 0;
  for (const byte of Buffer.from(text)) crc = ((crc << 8) ^ (TABLE[((crc >> 8) ^ byte) & 0xff] ?? 0)) & 0xffff;
  return crc;
}

/** Lanes that lie on one Redis, and so are numbered together. */
export interface PlacedParts {
  /** The Redis, by its place in the list of names. */
  readonly instance: number;
  /** Rising; at least one. */
  readonly lanes: readonly number[];
}

/**
 * Which Redis carries what. A lane lies on the instance that gives it the highest number (rendezvous): all nodes agree as
 * long as they have the same names, in any order, and with one instance more, only the lanes that it gets move.
 */
export class Placement {
  /** Instances that have lanes. */
  readonly placed: readonly PlacedParts[];
  /** By lane, the place in `placed`. */
  private readonly ofLane: readonly number[];

  /** @param names of the instances, all different */
  constructor(names: readonly string[]) {
    const instanceOf = Array.from({ length: LANES }, (_, lane) => highest(names, lane));
    const used = [...new Set(instanceOf)].sort((a, b) => a - b);
    this.placed = used.map((instance) => ({
      instance,
      lanes: instanceOf.flatMap((of, lane) => (of === instance ? [lane] : [])),
    }));
    this.ofLane = instanceOf.map((instance) => used.indexOf(instance));
  }

  /** The place in `placed` of what carries publications to an address; undefined: of those to every node. */
  of(to: Address | undefined): number {
    // As a rule there is one: a publication is spared the sum.
    if (this.placed.length === 1) return 0;
    return this.ofLane[to === undefined ? 0 : crc16(to) % LANES] ?? 0;
  }
}

function highest(names: readonly string[], lane: number): number {
  const weights = names.map((name) => createHash('sha256').update(`${name} ${lane}`).digest().readUIntBE(0, 6));
  return weights.indexOf(Math.max(...weights));
}

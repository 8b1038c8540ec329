/**
 * What the nodes send each other through Redis, as bytes. Big-endian:
 *
 *   envelope  'C' 'H' · version u8 · slot u16 (0) · node 16 bytes (its UUID) · lane u16 · n u48 · items
 *   item      topic u8 · flags u8 · address length u8 · address · [rev u48 · seq u48, where flag 1] · length u32 · JSON
 *
 * An envelope without items is a position: its node has published up to `n` there. Each other one counts `n` on by 1.
 *
 * Invariants, for releases to come run beside this one: the high half of the version is another format, of which an
 * envelope is ignored; under the same one items are only added to. A topic or a flag that a reader does not know makes it
 * skip the item. An item that concerns nobody here is skipped without its JSON being looked at.
 */
const MAGIC = 0x4348;
const VERSION = 0x10;
const HEAD_BYTES = 29;
const NODE_AT = 5;
const LANE_AT = 21;
const N_AT = 23;
/** Of an item, without its address and its JSON. */
const ITEM_BYTES = 7;
/** Flag: the room's rev and the message's seq stand before the length. Not written by this release. */
const HAS_POSITION = 1;
const POSITION_BYTES = 12;
/** What the byte before an address can say. */
export const MOST_ADDRESS_BYTES = 255;
/** An envelope is closed when it has so many bytes; an item that has more goes alone. */
export const ENVELOPE_BYTES = 64 * 1024;

/** What is published, as an item carries it. */
export interface EnvelopeItem {
  /** 1 to 255. */
  readonly topic: number;
  /** At most 255 bytes; empty: every node. */
  readonly address: string;
  readonly json: string;
}

export interface EnvelopeHead {
  /** UUID of the node. */
  readonly nodeId: string;
  /** The first of the lanes that are numbered together. */
  readonly lane: number;
  readonly n: number;
}

/** An item in the bytes of its envelope. */
export interface FoundItem {
  readonly topic: number;
  readonly address: string;
  /** Where its JSON lies. */
  readonly start: number;
  readonly end: number;
}

/** The bytes of one envelope. */
export function encodeEnvelope({ nodeId, lane, n }: EnvelopeHead, items: readonly EnvelopeItem[]): Buffer {
  let length = HEAD_BYTES;
  for (const item of items) length += itemBytes(item);
  const bytes = Buffer.allocUnsafe(length);
  bytes.writeUInt16BE(MAGIC, 0);
  bytes.writeUInt8(VERSION, 2);
  bytes.writeUInt16BE(0, 3);
  bytes.write(nodeId.replaceAll('-', ''), NODE_AT, 'hex');
  bytes.writeUInt16BE(lane, LANE_AT);
  bytes.writeUIntBE(n, N_AT, 6);
  let at = HEAD_BYTES;
  for (const { topic, address, json } of items) {
    bytes.writeUInt8(topic, at);
    bytes.writeUInt8(0, at + 1);
    const addressed = bytes.write(address, at + 3);
    bytes.writeUInt8(addressed, at + 2);
    at += 3 + addressed + 4;
    const written = bytes.write(json, at);
    bytes.writeUInt32BE(written, at - 4);
    at += written;
  }
  return bytes;
}

/** Divides items into envelopes of at most ENVELOPE_BYTES each, in their order. */
export function splitItems(items: readonly EnvelopeItem[]): EnvelopeItem[][] {
  const envelopes: EnvelopeItem[][] = [];
  let room = 0;
  for (const item of items) {
    const bytes = itemBytes(item);
    if (bytes > room || envelopes.length === 0) {
      envelopes.push([]);
      room = ENVELOPE_BYTES - HEAD_BYTES;
    }
    envelopes.at(-1)?.push(item);
    room -= bytes;
  }
  return envelopes;
}

function itemBytes({ address, json }: EnvelopeItem): number {
  return ITEM_BYTES + Buffer.byteLength(address) + Buffer.byteLength(json);
}

/** undefined: it is none, or one of another format. */
export function readHead(bytes: Buffer): EnvelopeHead | undefined {
  if (bytes.length < HEAD_BYTES || bytes.readUInt16BE(0) !== MAGIC) return undefined;
  if (bytes.readUInt8(2) >> 4 !== VERSION >> 4) return undefined;
  const hex = bytes.toString('hex', NODE_AT, LANE_AT);
  return { nodeId: uuidOf(hex), lane: bytes.readUInt16BE(LANE_AT), n: bytes.readUIntBE(N_AT, 6) };
}

export function isPosition(bytes: Buffer): boolean {
  return bytes.length === HEAD_BYTES;
}

/**
 * Visits the items of an envelope whose head could be read, in their order. Returns how many it skipped for a flag that it
 * does not know; undefined where the bytes end within an item.
 */
export function readItems(bytes: Buffer, visit: (item: FoundItem) => void): number | undefined {
  let skipped = 0;
  for (let at = HEAD_BYTES; at < bytes.length;) {
    if (at + 3 > bytes.length) return undefined;
    const [topic, flags] = [bytes.readUInt8(at), bytes.readUInt8(at + 1)];
    const addressEnd = at + 3 + bytes.readUInt8(at + 2);
    const lengthAt = addressEnd + ((flags & HAS_POSITION) === 0 ? 0 : POSITION_BYTES);
    if (lengthAt + 4 > bytes.length) return undefined;
    const start = lengthAt + 4;
    const end = start + bytes.readUInt32BE(lengthAt);
    if (end > bytes.length) return undefined;
    if ((flags & ~HAS_POSITION) !== 0) skipped++;
    else visit({ topic, address: bytes.toString('utf8', at + 3, addressEnd), start, end });
    at = end;
  }
  return skipped;
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

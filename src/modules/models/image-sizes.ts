/**
 * What a PNG, JPEG, GIF or WebP says in its head: of which kind it is, and how large.
 *
 * Invariant: whatever the bytes are, the answer is a kind with whole numbers from 1 on, or none; it throws nothing, reads nothing
 * that is not there, and takes no more steps than a JPEG may have segments. So users' bytes can be given to it as they come.
 */
import type { ModelImage } from './contract';

/** Before its size a JPEG has what cameras and programs add, each in a segment. */
const MAX_SEGMENTS = 1000;

type Size = readonly [width: number, height: number];

interface Format {
  readonly mediaType: ModelImage['mediaType'];
  /** Of the first 16 bytes in hexadecimal. */
  readonly start: RegExp;
  /** Bytes that `size` may read from the beginning. */
  readonly head: number;
  size(bytes: Buffer): Size | undefined;
}

const FORMATS: readonly Format[] = [
  {
    mediaType: 'image/png',
    // With the chunk that the standard wants first.
    start: /^89504e470d0a1a0a.{8}49484452/,
    head: 24,
    size: (bytes) => [bytes.readUInt32BE(16), bytes.readUInt32BE(20)],
  },
  { mediaType: 'image/jpeg', start: /^ffd8ff/, head: 2, size: sizeOfJpeg },
  {
    mediaType: 'image/gif',
    start: /^47494638(37|39)61/,
    head: 10,
    size: (bytes) => [bytes.readUInt16LE(6), bytes.readUInt16LE(8)],
  },
  {
    mediaType: 'image/webp',
    start: /^52494646.{8}5745425056503858/,
    head: 30,
    size: (bytes) => [bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1],
  },
  {
    mediaType: 'image/webp',
    start: /^52494646.{8}5745425056503820/,
    head: 30,
    size: (bytes) => [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff],
  },
  {
    mediaType: 'image/webp',
    start: /^52494646.{8}574542505650384c/,
    head: 25,
    size: (bytes) => [(bytes.readUInt16LE(21) & 0x3fff) + 1, ((bytes.readUInt32LE(21) >>> 14) & 0x3fff) + 1],
  },
];

/** Undefined: it is none of the four, or damaged. */
export function imageHead(bytes: Buffer): (Pick<Format, 'mediaType'> & { readonly pixels: number }) | undefined {
  const start = bytes.toString('hex', 0, 16);
  const format = FORMATS.find((one) => one.start.test(start));
  if (format === undefined || bytes.length < format.head) return undefined;
  const [width, height] = format.size(bytes) ?? [0, 0];
  const pixels = width * height;
  return Number.isSafeInteger(pixels) && pixels > 0 ? { mediaType: format.mediaType, pixels } : undefined;
}

/** Goes from segment to segment until one says the size. */
function sizeOfJpeg(bytes: Buffer): Size | undefined {
  let at = 2;
  for (let segment = 0; segment < MAX_SEGMENTS && at + 9 <= bytes.length && bytes[at] === 0xff; segment++) {
    const marker = bytes.readUInt8(at + 1);
    // A byte that fills may stand before a marker.
    if (marker === 0xff) at++;
    else if (isFrame(marker)) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
    else if (!hasLength(marker)) return undefined;
    else at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

/** Of any coding; among their numbers are three tables. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** The others are data, or the beginning and end of a picture. */
function hasLength(marker: number): boolean {
  return marker >= 0xc0 && !(marker >= 0xd0 && marker <= 0xda);
}

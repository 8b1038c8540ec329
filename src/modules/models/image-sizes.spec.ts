import fc from 'fast-check';
import { IMAGES } from '../../../test/support/images';
import { imageHead } from './image-sizes';

const kinds = Object.entries(IMAGES);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const JPEG_FRAME = 'ffc2 0011 08 0014 001e 03 011100 021100 031100';
const RIFF = Buffer.from('RIFF\x16\0\0\0WEBP', 'latin1').toString('hex');

const STARTS = [
  ...kinds.map(([, make]) => make(30, 20)),
  hex('ffd8ff'),
  hex('ffd8ffe00010'),
  hex(`${RIFF} 56503820`),
  hex(`${RIFF} 5650384c`),
  Buffer.from('RIFF\x16\0\0\0WEBP<svg viewBox="0 0 a b">', 'latin1'),
];

describe('the head of an image', () => {
  it.each([
    ['a PNG', IMAGES['image/png'](30, 20), 'image/png'],
    ['a JPEG', IMAGES['image/jpeg'](30, 20), 'image/jpeg'],
    ['a progressive JPEG, with tables before', hex(`ffd8 ffdb 0004 0000 ffc4 0003 01 ${JPEG_FRAME}`), 'image/jpeg'],
    ['a JPEG with bytes that fill', hex(`ffd8 ffff ffe1 0002 ffffff ${JPEG_FRAME.slice(2)}`), 'image/jpeg'],
    ['a GIF', IMAGES['image/gif'](30, 20), 'image/gif'],
    ['an extended WebP', IMAGES['image/webp'](30, 20), 'image/webp'],
    ['a lossy WebP', hex(`${RIFF} 56503820 0a000000 000000 9d012a 1e40 1480`), 'image/webp'],
    ['a lossless WebP', hex(`${RIFF} 5650384c 0a000000 2f 1dc00410`), 'image/webp'],
  ])('says the size of %s', (_, bytes, mediaType) => {
    expect(imageHead(bytes)).toEqual({ mediaType, pixels: 600 });
  });

  it.each([
    ['a drawing in the clothes of a WebP', Buffer.from('RIFF\0\0\0\0WEBP<svg viewBox="0 0 a b">'.padEnd(99), 'latin1')],
    ['a WebP of no known coding', hex(`${RIFF} 56503841 ${'01'.repeat(30)}`)],
    ['a JPEG without a frame', hex(`ffd8 ffe0 0004 0000 ffd9 ${'00'.repeat(20)}`)],
    ['a JPEG whose picture begins before its size', hex(`ffd8 ffda 0004 0000 ${JPEG_FRAME}`)],
    ['a JPEG whose size is not said yet', hex('ffd8 ffc0 0011 08 0000 001e 03 011100')],
    ['a PNG that begins with another chunk', hex(`89504e470d0a1a0a 00000004 43674249 ${'01'.repeat(30)}`)],
    ['a WebP of one whose head is missing', IMAGES['image/webp'](30, 20).subarray(0, 29)],
    ['nothing', Buffer.alloc(0)],
  ])('is none of %s', (_, bytes) => {
    expect(imageHead(bytes)).toBeUndefined();
  });

  it('is a kind and a whole number, or none, whatever the bytes are', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const begun = fc.tuple(fc.constantFrom(...STARTS), bytes).map((parts) => Buffer.concat(parts));
    const cut = fc.tuple(begun, fc.nat(250)).map(([whole, end]) => whole.subarray(0, end));
    fc.assert(
      fc.property(fc.oneof(bytes, begun, cut), (input) => {
        const head = imageHead(input);
        if (head === undefined) return;
        expect(Number.isSafeInteger(head.pixels) && head.pixels > 0).toBe(true);
        expect(kinds.map(([mediaType]) => mediaType)).toContain(head.mediaType);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['no marker', hex('ffd8 ff00'), hex('00')],
    ['bytes that fill', hex('ffd8'), hex('ff')],
    ['the smallest segments', hex('ffd8'), hex('ffe0 0002')],
    ['segments without a length', hex('ffd8'), hex('ffe0 0000')],
  ])('of a JPEG of 5 MB with %s is not looked for to its end', (_, start, filling) => {
    const bytes = Buffer.concat([start, Buffer.alloc(5 * 1024 * 1024, filling)]);
    const reads = [jest.spyOn(bytes, 'readUInt8'), jest.spyOn(bytes, 'readUInt16BE')];
    expect(imageHead(bytes)).toBeUndefined();
    expect(reads.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBeLessThanOrEqual(2000);
  });
});

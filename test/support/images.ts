/** Images of any size: their heads, which is what of them is looked at. */

const u16 = (n: number): number[] => [n >> 8, n & 255];
const u24le = (n: number): number[] => [n & 255, (n >> 8) & 255, n >> 16];
const u32 = (n: number): number[] => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];
const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];

type Maker = (width: number, height: number) => Buffer;

export const IMAGES: Readonly<Record<'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp', Maker>> = {
  'image/png': (width, height) =>
    Buffer.from([
      ...ascii('\x89PNG\r\n\x1a\n'),
      ...[...u32(13), ...ascii('IHDR'), ...u32(width), ...u32(height), 8, 6, 0, 0, 0, 0, 0, 0, 0],
    ]),
  'image/jpeg': (width, height) =>
    Buffer.from([
      ...[0xff, 0xd8, 0xff, 0xe0, ...u16(16), ...ascii('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0],
      ...[0xff, 0xc0, ...u16(17), 8, ...u16(height), ...u16(width), 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0],
      ...[0xff, 0xd9, 0, 0, 0, 0, 0, 0, 0, 0],
    ]),
  'image/gif': (width, height) =>
    Buffer.from([...ascii('GIF89a'), width & 255, width >> 8, height & 255, height >> 8, 0, 0, 0]),
  'image/webp': (width, height) =>
    Buffer.from([
      ...[...ascii('RIFF'), 22, 0, 0, 0, ...ascii('WEBP'), ...ascii('VP8X'), 10, 0, 0, 0, 0, 0, 0, 0],
      ...[...u24le(width - 1), ...u24le(height - 1), 0, 0, 0, 0],
    ]),
};

export function dataUrl(bytes: Buffer, mediaType = 'image/png'): string {
  return `data:${mediaType};base64,${bytes.toString('base64')}`;
}

/** A small one. */
export const PNG = IMAGES['image/png'](30, 20);
export const PNG_URL = dataUrl(PNG);

const STARTS: Readonly<Record<string, string>> = {
  'image/png': '89504e47',
  'image/jpeg': 'ffd8ff',
  'image/gif': '474946',
  'image/webp': '52494646',
};

/** Whether a provider would take it: it is what it is called. */
export function isImage(mediaType: unknown, base64: unknown): boolean {
  const start = STARTS[String(mediaType)];
  if (start === undefined || typeof base64 !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return false;
  return Buffer.from(base64, 'base64').toString('hex').startsWith(start);
}

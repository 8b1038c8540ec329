/**
 * Images that users show models. They come as data URLs: nothing is fetched for a model, so no address of a user's is ever
 * connected to. What an image is its first bytes say, whatever its URL calls it; nothing of it is decoded but its size.
 */
import { invalid } from '../../common/errors';
import type { ModelImage } from './contract';
import { imageHead } from './image-sizes';

const MAX_IMAGE_BYTES = 5 * 1024 * 1024;
/** Of one request: what is shown is bounded by the size of a body, what is looked at by this. */
export const MAX_IMAGES = 20;
const MAX_PIXELS = 40_000_000;
const MAX_NAME = 100;
const MOST_READ = 1000;
/** What a provider counts for a large one; a small one is counted by its pixels. */
const MOST_TOKENS = 1600;
const PIXELS_PER_TOKEN = 750;

const DATA_URL = /^data:image\/(?:png|jpeg|gif|webp);base64,/;

/**
 * The image of a data URL.
 * @param field names its place to the caller
 * @throws 400 for any other URL, and for what is no PNG, JPEG, GIF or WebP of at most 5 MB and 40 megapixels
 */
export function imageOfUrl(url: string, field: string): ModelImage {
  const prefix = DATA_URL.exec(url)?.[0];
  if (prefix === undefined) throw invalid(field, notInline(url, field));
  const base64 = url.slice(prefix.length);
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length > MAX_IMAGE_BYTES) throw invalid(field, `${field} is an image of more than 5 MB`);
  if (bytes.length === 0 || bytes.toString('base64') !== base64)
    throw invalid(field, `${field} is an image that is no base64`);
  const head = imageHead(bytes);
  if (head === undefined) throw invalid(field, `${field} is no image: PNG, JPEG, GIF and WebP can be read`);
  const { mediaType, pixels } = head;
  if (pixels > MAX_PIXELS) throw invalid(field, `${field} is an image of more than 40 megapixels`);
  return { mediaType, base64, tokens: Math.min(MOST_TOKENS, Math.ceil(pixels / PIXELS_PER_TOKEN)) };
}

function notInline(url: string, field: string): string {
  return url.startsWith('data:')
    ? `${field} must be a data URL of an image in base64: image/png, image/jpeg, image/gif or image/webp`
    : `${field} is an image from elsewhere: nothing is fetched for a model, send it as a data URL`;
}

/** How every place of an image begins. */
export const IMAGE_PLACE = '[image: ';
const PLACE = /\[image: [^[\]\n]*\]/g;

/** What stands in a text in the place of an image; no name says that there are more. */
export function imagePlace(name: string): string {
  // As much as is looked at: a name may be as long as a body.
  const clean = name
    .slice(0, MOST_READ)
    .replace(/[[\]\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .toWellFormed()
    .trim();
  return `[image: ${[...clean].slice(0, MAX_NAME).join('') || 'unnamed'}]`;
}

/** How many images a text has places for. */
export function imagePlacesIn(text: string): number {
  return text.match(PLACE)?.length ?? 0;
}

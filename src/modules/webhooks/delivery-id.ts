import { createHash } from 'node:crypto';

/**
 * The UUID (version 5) of what is posted, made from what it is about: whoever plans the same thing again, after a crash,
 * comes to the same id.
 */
export function deliveryId(...about: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(JSON.stringify(about)).digest('hex');
  const variant = ((parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}

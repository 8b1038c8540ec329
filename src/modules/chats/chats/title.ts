import { codePoints, firstGraphemes, isBlank } from '../../../common/text';

/** Of a chat that nobody has named, until its first answer is there. */
export const NEW_TITLE = 'New chat';
/** In characters as people count them. */
const LONGEST = 60;
/** A character as people count them may be made of many: also a title has at most 200 code points. */
const LONGEST_POINTS = 200;
/** What would break the line that a title stands in, or turn it round. */
const UNTOLD = /[\p{Cc}\p{Bidi_Control}]+/gu;

/** A short form of what somebody said: one line, at most 60 characters, cut between words where there are any. */
export function shortForm(content: string): string {
  const line = content.replaceAll(/\s+/gu, ' ').replaceAll(UNTOLD, '').replaceAll(/ {2,}/g, ' ').trim();
  if (isBlank(line)) return NEW_TITLE;
  let most = LONGEST;
  while (most > 0 && codePoints(firstGraphemes(line, most)) > LONGEST_POINTS) most--;
  if (most > 0 && firstGraphemes(line, most) === line) return line;
  const cut = firstGraphemes(line, Math.max(0, most - 1));
  if (cut === '') return NEW_TITLE;
  const blank = cut.lastIndexOf(' ');
  return `${(blank > LONGEST / 2 ? cut.slice(0, blank) : cut).trimEnd()}…`;
}

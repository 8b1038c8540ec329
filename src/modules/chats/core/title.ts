/** Of a chat that nobody has named, until its first answer is there. */
export const NEW_TITLE = 'New chat';
const LONGEST = 60;

/** A short form of what somebody said: one line, at most 60 characters, cut between words where there are any. */
export function shortForm(content: string): string {
  const line = content.replaceAll(/\s+/gu, ' ').trim();
  const characters = [...line];
  if (characters.length <= LONGEST) return line === '' ? NEW_TITLE : line;
  const cut = characters.slice(0, LONGEST - 1).join('');
  const blank = cut.lastIndexOf(' ');
  return `${(blank > LONGEST / 2 ? cut.slice(0, blank) : cut).trimEnd()}…`;
}

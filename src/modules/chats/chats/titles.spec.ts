import fc from 'fast-check';
import { NEW_TITLE, shortForm } from './titles';

describe('the title that a chat gets from its first message', () => {
  it.each([
    ['Hello', 'Hello'],
    ['  two\n\nlines\tand   blanks ', 'two lines and blanks'],
    ['   ', NEW_TITLE],
    ['word '.repeat(20), `${'word '.repeat(10)}word…`],
    ['x'.repeat(100), `${'x'.repeat(59)}…`],
    ['😀'.repeat(100), `${'😀'.repeat(59)}…`],
  ])('%j becomes %j', (said, title) => {
    expect(shortForm(said)).toBe(title);
  });

  const FAMILY = '👨‍👩‍👧‍👦';
  it.each([
    [`${'x'.repeat(58)}${FAMILY}${FAMILY}`, `${'x'.repeat(58)}${FAMILY}${FAMILY}`],
    [`${'x'.repeat(58)}${FAMILY}${FAMILY}y`, `${'x'.repeat(58)}${FAMILY}…`],
    [FAMILY.repeat(80), `${FAMILY.repeat(27)}…`],
    ['e\u0301'.repeat(61), `${'e\u0301'.repeat(59)}…`],
    ['abc\u202edcba\u2066x\u2069', 'abcdcbax'],
    ['a\u0007b\u0000c\u009bd \u001b[31m red', 'abcd [31m red'],
    ['\u200b \u2060', NEW_TITLE],
    [`a${'\u0301'.repeat(500)}`, NEW_TITLE],
  ])('A12: %j becomes %j', (said, title) => {
    expect(shortForm(said)).toBe(title);
  });

  it('is one line of at most 60 characters, whatever was said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (said) => {
        const title = shortForm(said);
        expect([...new Intl.Segmenter().segment(title)].length).toBeLessThanOrEqual(60);
        expect([...title].length).toBeLessThanOrEqual(200);
        expect(title).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        expect(title).not.toBe('');
      }),
    );
  });
});

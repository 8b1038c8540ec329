import fc from 'fast-check';
import { NEW_TITLE, shortForm } from './title';

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

  it('is one line of at most 60 characters, whatever was said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (said) => {
        const title = shortForm(said);
        expect([...title].length).toBeLessThanOrEqual(60);
        expect(title).not.toMatch(/[\n\t]/);
        expect(title).not.toBe('');
      }),
    );
  });
});

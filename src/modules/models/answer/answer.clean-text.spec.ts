import fc from 'fast-check';
import { isStorableText } from '../../../common/text';
import { CleanText } from './answer';

function cleaned(pieces: readonly string[]): string[] {
  const text = new CleanText();
  return [...pieces.map((piece) => text.push(piece)), text.flush()];
}

describe('the text of an answer', () => {
  it('holds half a pair back until the other half comes', () => {
    expect(cleaned(['a\ud83d', '\ude80b'])).toEqual(['a', '🚀b', '']);
    expect(cleaned(['\ud83d', '', '\ude80'])).toEqual(['', '', '🚀', '']);
  });

  it('replaces what cannot be stored, one character by one', () => {
    expect(cleaned(['a\0', '\ude80', '\ud83d\ud83d', 'b\ud83d'])).toEqual([
      'a\ufffd',
      '\ufffd',
      '\ufffd',
      '\ufffdb',
      '\ufffd',
    ]);
  });

  it('can always be stored, and is the same however it is cut', () => {
    const unit = fc.constantFrom('a', '\0', '\ud83d', '\ude80', 'é', '🚀', '\ufffd');
    fc.assert(
      fc.property(fc.array(fc.array(unit).map((units) => units.join(''))), (pieces) => {
        const parts = cleaned(pieces);
        expect(parts.every(isStorableText)).toBe(true);
        expect(parts.join('')).toBe(pieces.join('').replaceAll('\0', '\ufffd').toWellFormed());
      }),
    );
  });
});

/** Text that breaks software which takes characters for bytes or UTF-16 units; every one is fine to store. */
export const STORABLE_TEXTS: Readonly<Record<string, string>> = {
  'a right-to-left mark and override': '\u200fשלום\u202e evil\u202c',
  'an emoji of four bytes': '😀',
  'an emoji family of joined code points': '👩‍👩‍👧‍👦',
  'combining marks': 'e\u0301\u0323 Z̷̛̳a̸',
  'a decomposed form': 'Å', // becomes one code point where text is normalised
  'zero-width characters': 'a\u200b\u200d\ufeffb',
  'a byte order mark': '\ufeffhello',
  'control characters': '\u0001\u0007\u001b[31m\u007f\u0085',
  'line ends': 'a\r\nb\nc\rd\u2028e\u2029f',
  'quotes, backslashes and SQL': `'; DROP TABLE rooms; -- "\\" \\u0000 \${x} %s`,
  'private use and non-characters': '\ue000\uffff\u{10ffff}',
  'the replacement character': '\ufffd',
  markup: '<script>alert(1)</script>&amp;',
  'white space around a letter': ' \t\n\u00a0x\u3000',
  'the name of a prototype': '__proto__',
};

/** JSON string literals (quotes included) that no field may take. They are raw, since JSON.stringify has no way to a lone surrogate. */
export const UNSTORABLE_LITERALS: Readonly<Record<string, string>> = {
  NUL: String.raw`"\u0000"`,
  'NUL inside': String.raw`"a\u0000b"`,
  'a lone high surrogate': String.raw`"\ud800"`,
  'a lone low surrogate': String.raw`"\udc00x"`,
  'surrogates in the wrong order': String.raw`"\udc00\ud800"`,
  'a high surrogate before a letter': String.raw`"\ud83dx"`,
};

/** `n` code points of four bytes each. */
export function emojis(n: number): string {
  return '😀'.repeat(n);
}

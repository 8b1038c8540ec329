const REPLACEMENT = '\ufffd';

/**
 * Makes the text of an answer storable while it comes: U+0000 and lone surrogates become U+FFFD. The first half of a
 * pair at the end of a piece is held back until the next one, which may begin with the other half.
 */
export class CleanText {
  private held = '';

  /** The clean text that can be handed out now; may be empty. */
  push(piece: string): string {
    let text = this.held + piece;
    this.held = '';
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last <= 0xdbff) {
      this.held = text.slice(-1);
      text = text.slice(0, -1);
    }
    return clean(text);
  }

  /** What was held back, at the end of the answer. */
  flush(): string {
    const text = this.held;
    this.held = '';
    return clean(text);
  }
}

function clean(text: string): string {
  return text.replaceAll('\0', REPLACEMENT).toWellFormed();
}

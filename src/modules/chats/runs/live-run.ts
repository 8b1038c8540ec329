import type { StoredTokens } from './runs.repository';

export interface RunRef {
  readonly tenantId: string;
  readonly chatId: string;
  readonly runId: string;
}

/** An answer that this node is writing: its tokens so far, numbered from 0. */
export class LiveRun {
  /** Ends the model's stream; its reason is `cancelled` or `lost`. */
  readonly abort = new AbortController();
  /** Of the call that asked; unknown where an answer is written anew. */
  requestId: string | undefined;
  channel: string | undefined;
  model: string | undefined;
  text = '';
  readonly ends: number[] = [];
  /** The model has begun. */
  begun = false;
  /** Its end is stored and was published: whoever comes now reads it there. */
  isOver = false;
  /** Tokens that were published, and that were stored. */
  published = 0;
  stored = 0;

  constructor(
    readonly ref: RunRef,
    readonly fence: number,
    /** The user's message that it answers. */
    readonly replyToSeq: number,
    readonly senderId: string,
    tokens: StoredTokens = { text: '', ends: [] },
  ) {
    this.text = tokens.text;
    this.ends = [...tokens.ends];
    this.published = this.stored = tokens.ends.length;
  }

  get count(): number {
    return this.ends.length;
  }

  add(token: string): void {
    this.text += token;
    this.ends.push(this.text.length);
  }

  /** Tokens from one index on. */
  from(index: number): { readonly text: string; readonly ends: readonly number[] } {
    const start = index === 0 ? 0 : (this.ends[index - 1] ?? 0);
    return { text: this.text.slice(start), ends: this.ends.slice(index).map((end) => end - start) };
  }
}

import { type AcceptedConnection, toWire } from '../../../realtime';
import type { ChatEvent } from '../contract';
import { chatEvent } from '../events';

type Tokens = Extract<ChatEvent, { type: 'tokens' }>;

/** While more than this waits for the client, tokens are put together instead of queued. */
const SLOW_BYTES = 64 * 1024;
/** So many characters of tokens are held back at most; what is beyond counts as any queued frame (4009). */
const MOST_HELD = 256 * 1024;

/** The events of one chat on their way to one client: in order, none lost, tokens that wait as few events. */
export class EventQueue {
  private held: Tokens[] = [];
  private characters = 0;
  private isWaiting = false;

  constructor(
    private readonly connection: AcceptedConnection,
    private readonly chatId: string,
  ) {}

  /** Behind all tokens that came before. */
  tell(event: object): void {
    this.release();
    this.connection.send(toWire(event));
  }

  tokens(tokens: Tokens): void {
    if (this.held.length === 0 && this.connection.waiting <= SLOW_BYTES) {
      this.send(tokens);
      return;
    }
    const last = this.held.at(-1);
    if (last?.runId === tokens.runId)
      this.held[this.held.length - 1] = { ...last, text: last.text + tokens.text, index: tokens.index };
    else this.held.push(tokens);
    this.characters += tokens.text.length;
    if (this.characters > MOST_HELD) this.release();
    else this.wait();
  }

  private wait(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.connection.onceBelow(SLOW_BYTES, () => {
      this.isWaiting = false;
      this.release();
    });
  }

  private release(): void {
    const { held } = this;
    this.held = [];
    this.characters = 0;
    for (const tokens of held) this.send(tokens);
  }

  private send(tokens: Tokens): void {
    this.connection.send(toWire(chatEvent(tokens, this.chatId)));
  }
}

import type { Frame, RoomEvent, WireFrame } from '../contract';

/** What the order of a room and its membership need of a change. */
export type ChangeHead = Pick<RoomEvent, 'rev' | 'seq' | 'messageId' | 'joins' | 'leaves' | 'ends'>;

/** A change on its way through this node: its text and its bytes are made once, when somebody first needs them. */
export class RoomChange {
  private json: string | undefined;
  private bytes: WireFrame | undefined;
  private bytesAgain: WireFrame | undefined;

  constructor(
    readonly head: ChangeHead,
    private readonly serialise: () => string,
    private readonly again?: () => Frame,
  ) {}

  static of(event: RoomEvent): RoomChange {
    return new RoomChange(event, event.text ?? (() => JSON.stringify(event.frame())), event.again);
  }

  get rev(): number {
    return this.head.rev;
  }

  /** The JSON text if it has been made. */
  get madeText(): string | undefined {
    return this.json;
  }

  wire(encode: (text: string) => WireFrame): WireFrame {
    return (this.bytes ??= encode((this.json ??= this.serialise())));
  }

  /** The same for somebody who has all messages up to `seq`: one that they have was edited since. */
  wireAfter(seq: number, encode: (text: string) => WireFrame): WireFrame {
    const isHad = this.head.seq !== undefined && this.head.seq <= seq;
    if (!isHad || this.again === undefined) return this.wire(encode);
    return (this.bytesAgain ??= encode(JSON.stringify(this.again())));
  }
}

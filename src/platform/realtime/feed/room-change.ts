import type { RoomEvent, WireFrame } from '../contract';

/** What the order of a room and its membership need of a change. */
export type ChangeHead = Pick<RoomEvent, 'rev' | 'seq' | 'joins' | 'leaves' | 'ends'>;

/** A change on its way through this node: its text and its bytes are made once, when somebody first needs them. */
export class RoomChange {
  private json: string | undefined;
  private bytes: WireFrame | undefined;

  constructor(
    readonly head: ChangeHead,
    private readonly serialise: () => string,
  ) {}

  static of(event: RoomEvent): RoomChange {
    return new RoomChange(event, event.text ?? (() => JSON.stringify(event.frame())));
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
}

/** Every frame of everybody, as it was on the wire: the newest of them. */
import { Changes, type Data } from '../../socket';

export type Endpoint = '/ws' | '/ws/chat';

/** `state`: no frame, but what happened to the connection. */
export interface FrameRecord {
  /** Counts all that was ever written down. */
  readonly n: number;
  /** In ms since 1970. */
  readonly at: number;
  readonly person: string;
  readonly endpoint: Endpoint;
  readonly direction: 'in' | 'out' | 'state';
  readonly type: string;
  readonly text: string;
}

export interface FrameFilter {
  readonly person: string;
  readonly direction: '' | FrameRecord['direction'];
  readonly words: string;
}

export const NO_FILTER: FrameFilter = { person: '', direction: '', words: '' };

/** What is older goes; so does what is beyond 16 M characters. */
const MOST_FRAMES = 10_000;
const MOST_CHARACTERS = 16_000_000;
/** It grows by a tenth before it is cut: moving 10,000 entries with each frame would cost more than the frame. */
const SLACK = 1.1;

export class FrameLog {
  readonly changes: Changes;
  private frames: FrameRecord[] = [];
  private shown: FrameRecord[] = [];
  private characters = 0;
  private written = 0;
  private filter = NO_FILTER;
  private held: readonly FrameRecord[] | undefined;
  private heldAt = 0;

  constructor(schedule: (run: () => void) => void) {
    this.changes = new Changes(schedule);
  }

  /** Of those that the filter lets through; while it is held, those that were there then. */
  get visible(): readonly FrameRecord[] {
    return this.held ?? this.shown;
  }

  get total(): number {
    return this.written;
  }

  get isHeld(): boolean {
    return this.held !== undefined;
  }

  /** How many came since it is held. */
  get since(): number {
    return this.held === undefined ? 0 : this.written - this.heldAt;
  }

  write(
    person: string,
    endpoint: Endpoint,
    event: Pick<FrameRecord, 'direction' | 'type'> & { readonly data: Data },
  ): void {
    const { direction, type, data } = event;
    const text = typeof data === 'string' ? data : `${data.byteLength} bytes`;
    const frame = { n: ++this.written, at: Date.now(), person, endpoint, direction, type, text };
    this.frames.push(frame);
    this.characters += text.length;
    if (matches(frame, this.filter)) this.shown.push(frame);
    if (this.frames.length > MOST_FRAMES * SLACK || this.characters > MOST_CHARACTERS * SLACK) this.cut();
    this.changes.tell();
  }

  show(filter: FrameFilter): void {
    this.filter = filter;
    this.shown = this.frames.filter((frame) => matches(frame, filter));
    if (this.held !== undefined) this.held = this.shown.filter(({ n }) => n <= this.heldAt);
    this.changes.tell();
  }

  hold(isHeld: boolean): void {
    this.held = isHeld ? [...this.shown] : undefined;
    this.heldAt = this.written;
    this.changes.tell();
  }

  clear(): void {
    this.frames = [];
    this.shown = [];
    this.characters = 0;
    if (this.held !== undefined) this.held = [];
    this.changes.tell();
  }

  /** The answer to a frame with this `request_id` that was sent as the n-th one, or an error that names none. */
  answerTo(n: number, person: string, requestId: string | undefined): FrameRecord | undefined {
    return this.frames.find(
      (frame) => frame.n > n && frame.person === person && frame.direction !== 'out' && answers(frame, requestId),
    );
  }

  private cut(): void {
    let from = Math.max(0, this.frames.length - MOST_FRAMES);
    let characters = this.frames.slice(from).reduce((sum, { text }) => sum + text.length, 0);
    for (; characters > MOST_CHARACTERS; from++) characters -= this.frames[from]?.text.length ?? 0;
    this.frames = this.frames.slice(from);
    this.characters = characters;
    const first = this.frames[0]?.n ?? Infinity;
    this.shown = this.shown.filter(({ n }) => n >= first);
  }
}

function answers({ direction, type, text }: FrameRecord, requestId: string | undefined): boolean {
  if (direction === 'state') return type === 'closed';
  const { request_id: id } = JSON.parse(text) as { readonly request_id?: string };
  return type === 'error' ? id === requestId || id === undefined : requestId !== undefined && id === requestId;
}

function matches(frame: FrameRecord, { person, direction, words }: FrameFilter): boolean {
  if (person !== '' && frame.person !== person) return false;
  if (direction !== '' && frame.direction !== direction) return false;
  if (words === '') return true;
  const all = `${frame.type} ${frame.text}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => (word.startsWith('-') && word.length > 1 ? !all.includes(word.slice(1)) : all.includes(word)));
}

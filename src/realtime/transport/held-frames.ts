import type { StreamPart, StreamPiece, WireFrame } from './connection';

/** Beyond these the oldest are forgotten. */
const MOST = 1000;
const MOST_CHARACTERS = 256 * 1024;

type Delta = Extract<StreamPart, { type: 'delta' }>;

/** What waits under one key. */
interface Held {
  readonly frames: WireFrame[];
  /** Of a stream: its deltas as one, framed when they are taken. */
  delta?: Delta & Pick<StreamPiece, 'reframe'>;
}

/** Ephemeral frames of a client that does not keep up: the newest of each key, and of a stream its deltas as one. */
export class HeldFrames {
  private readonly frames = new Map<string, Held>();
  /** Of all deltas. */
  private characters = 0;

  hold(key: string, frame: WireFrame): void {
    // Deleted first: the newest frame takes its place at the end.
    this.forget(key);
    this.frames.set(key, { frames: [frame] });
    this.bound();
  }

  /** Adds a piece to those of its stream. */
  add(key: string, { frame, part, reframe }: StreamPiece): void {
    const held = this.frames.get(key) ?? { frames: [] };
    this.frames.set(key, held);
    if (part.type === 'delta') {
      held.delta = { ...part, text: (held.delta?.text ?? '') + part.text, reframe };
      this.characters += part.text.length;
    } else held.frames.push(frame);
    this.bound();
  }

  take(): WireFrame[] {
    const frames = [...this.frames.values()].flatMap(framed);
    this.frames.clear();
    this.characters = 0;
    return frames;
  }

  /** Takes what waits under one key. */
  takeOf(key: string): WireFrame[] {
    const held = this.frames.get(key);
    this.forget(key);
    return held === undefined ? [] : framed(held);
  }

  private bound(): void {
    while (this.frames.size > MOST || this.characters > MOST_CHARACTERS) {
      const [oldest] = this.characters > MOST_CHARACTERS ? this.streams() : this.frames.keys();
      if (oldest === undefined) return;
      this.forget(oldest);
    }
  }

  private *streams(): Iterable<string> {
    for (const [key, { delta }] of this.frames) if (delta !== undefined) yield key;
  }

  private forget(key: string): void {
    this.characters -= this.frames.get(key)?.delta?.text.length ?? 0;
    this.frames.delete(key);
  }
}

function framed({ frames, delta }: Held): WireFrame[] {
  return delta === undefined ? frames : [...frames, delta.reframe(delta)];
}

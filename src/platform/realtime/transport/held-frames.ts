import type { WireFrame } from '../contract';

/** Beyond it the oldest are forgotten. */
const MOST = 1000;

/** Ephemeral frames of a client that does not keep up: the newest of each key. */
export class HeldFrames {
  private readonly frames = new Map<string, WireFrame>();

  hold(key: string, frame: WireFrame): void {
    // Deleted first: the newest frame takes its place at the end.
    this.frames.delete(key);
    this.frames.set(key, frame);
    if (this.frames.size <= MOST) return;
    const [oldest] = this.frames.keys();
    if (oldest !== undefined) this.frames.delete(oldest);
  }

  take(): WireFrame[] {
    const frames = [...this.frames.values()];
    this.frames.clear();
    return frames;
  }
}

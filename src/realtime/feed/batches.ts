import type { FrameBatch, WireFrame } from './ports';

/** A batch while its turn lasts. Sealed where its audience changes, or by the flush that takes it. */
export interface GrowingBatch extends FrameBatch {
  readonly sealed: boolean;
  /** Not to be called on a sealed batch. */
  add(frame: WireFrame): void;
  seal(): void;
}

/** How the feed gets batches and bytes; the transport knows both. */
export abstract class FrameBatches {
  abstract open(): GrowingBatch;
  /** Frames a text for the wire. */
  abstract encode(text: string): WireFrame;
}

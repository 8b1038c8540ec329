import type { DtoClass } from '../../validation';

/** A frame that the server sends by itself; replies are documented with their operation. */
export interface ServerFrameFacts {
  /** The frame's `type`. */
  readonly name: string;
  /** One sentence for the documents: when it is sent. */
  readonly summary: string;
  /** The fields beside `type`. */
  readonly dto: DtoClass;
}

const declared = new Map<string, ServerFrameFacts>();

/** Declares a class as the fields of a frame that the server sends; AsyncAPI lists it. */
export function ServerFrame(name: string, summary: string): (dto: DtoClass) => void {
  return (dto) => {
    const other = declared.get(name);
    if (other && other.dto !== dto) throw new Error(`Two classes describe the server frame ${name}`);
    declared.set(name, { name, summary, dto });
  };
}

/** All declared frames, by name. */
export function serverFrames(): readonly ServerFrameFacts[] {
  return [...declared.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

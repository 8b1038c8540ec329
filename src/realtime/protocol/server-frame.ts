import type { DtoClass } from '../../platform/validation';
import { SOCKET_PATH } from '../transport/paths';

/** A frame that the server sends by itself; replies are documented with their operation. */
export interface ServerFrameFacts {
  /** The path of its door. */
  readonly path: string;
  /** The frame's type. */
  readonly name: string;
  /** One sentence for the documents: when it is sent. */
  readonly summary: string;
  /** The fields beside its type and those that every frame of the door has. */
  readonly dto: DtoClass;
}

const declared = new Map<string, ServerFrameFacts>();

/** Declares a class as the fields of a frame that the server sends; AsyncAPI lists it. */
export function ServerFrame(name: string, summary: string, path = SOCKET_PATH): (dto: DtoClass) => void {
  return (dto) => {
    const key = `${path} ${name}`;
    const other = declared.get(key);
    if (other && other.dto !== dto) throw new Error(`Two classes describe the server frame ${key}`);
    declared.set(key, { path, name, summary, dto });
  };
}

/** All declared frames of a door, by name. */
export function serverFrames(path: string): readonly ServerFrameFacts[] {
  const here = [...declared.values()].filter((frame) => frame.path === path);
  return here.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The contract's limits that several doors share (contract §3). Characters are Unicode code points. */

/** Characters of a message's content. */
export const MAX_CONTENT = 32_768;
/** Bytes of a message's `meta`, as JSON. */
export const MAX_META_BYTES = 16 * 1024;
/** Characters. */
export const MAX_CLIENT_MESSAGE_ID = 64;
/** Bytes of the metadata of a room or a chat, as JSON. */
export const MAX_METADATA_BYTES = 8 * 1024;
/** Characters of the name of a room, a chat's title among them. */
export const MAX_ROOM_NAME = 200;
/** Characters of the name of a preset. */
export const MAX_PRESET_NAME = 128;
/** Longest overlap of the old and the new secret of a rotation: 30 days, in seconds. */
export const MAX_OVERLAP_SECONDS = 30 * 86_400;
/** Bytes that wait for a reader who does not read, on a socket or a stream, before it is cut; it may come back. */
export const MAX_WAITING_BYTES = 1024 * 1024;

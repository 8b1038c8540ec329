/**
 * Ids: a prefix and a UUIDv7 as 32 hex digits outside, a `uuid` in the database. A malformed id is an id that does
 * not exist, so decoding answers `undefined` and never throws.
 */
import { randomFillSync } from 'node:crypto';
import { V7Generator } from 'uuidv7';

/** The kinds of things that have an id, and their prefixes. */
export const ID_PREFIXES = {
  room: 'room_',
  message: 'msg_',
  notification: 'notif_',
  tenant: 'tenant_',
  key: 'key_',
  conversation: 'conv_',
  subscription: 'sub_',
  connection: 'conn_',
  deadLetter: 'dl_',
  webhook: 'wh_',
  channel: 'chan_',
  deletion: 'del_',
  erasure: 'er_',
  export: 'exp_',
  import: 'imp_',
  /** The same answer as `message`, on `/v1/responses`. */
  response: 'resp_',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

const HEX32 = /^[0-9a-f]{32}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Drawn from the system many at a time: a message has an id of its own, and a draw costs more than the rest of it. */
const random = new Uint32Array(1024);
let drawn = random.length;

const generator = new V7Generator({
  nextUint32: () => {
    if (drawn === random.length) {
      randomFillSync(random);
      drawn = 0;
    }
    return random[drawn++] ?? 0;
  },
});

/** A new time-ordered UUIDv7 in its dashed form, as the database takes it. */
export function newUuid(): string {
  return generator.generate().toString();
}

/** `room`, `0190…-…` → `room_0190…`. */
export function encodeId(kind: IdKind, uuid: string): string {
  // A third of the time of replaceAll; every frame has some.
  return (
    ID_PREFIXES[kind] + uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
  );
}

/** When a UUIDv7 of `newUuid` was made. */
export function timeOf(uuid: string): Date {
  return new Date(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16));
}

/** One room of one tenant, as a map key; both are UUIDs. */
export function roomKey(tenantId: string, roomId: string): string {
  return `${tenantId}/${roomId}`;
}

/** Whom a hint on the bus concerns: those who have to do with a room … */
export function roomAddress(tenantId: string, roomId: string): string {
  return `r:${tenantId}/${roomId}`;
}

/** … those who have a connection of a user … */
export function userAddress(tenantId: string, userId: string): string {
  return `u:${tenantId}/${userId}`;
}

/** … or one node alone. */
export function nodeAddress(nodeId: string): string {
  return `n:${nodeId}`;
}

/** `room`, `room_0190…` → the dashed UUID, or undefined when it is not an id of that kind. */
export function decodeId(kind: IdKind, id: unknown): string | undefined {
  const prefix = ID_PREFIXES[kind];
  if (typeof id !== 'string' || !id.startsWith(prefix)) return undefined;
  const hex = id.slice(prefix.length);
  if (!HEX32.test(hex)) return undefined;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Whether a string is a dashed lower-case UUID. */
export function isUuid(value: string): boolean {
  return UUID.test(value);
}

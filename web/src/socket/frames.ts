/** The frames of both sockets, by their names in docs/asyncapi.json. */
import type { components } from './frame-types';

type Schemas = components['schemas'];

export type Frame<Name extends keyof Schemas> = Schemas[Name];
export type ServerFrame = Schemas['ServerFrame'];
export type ClientFrame = Schemas['ClientFrame'];
export type ChatServerFrame = Schemas['ChatServerFrame'];
export type ChatClientFrame = Schemas['ChatClientFrame'];
/** Where a client stands in a room: `sync` begins after it. */
export type Position = Schemas['SyncRoomDto'];

/** What is sent of a frame, and what comes of one, before anybody knows that it is one. */
export type Data = string | Uint8Array;

/** The sockets as the pages use them, under the names of @chatapi/client. */
export { type AnswerStatus, type ChatPageMessage, type ChatTurn } from './answers';
export { Changes } from './changes';
export { Chat } from './chat';
export { ChatClient } from './client';
export { closeCode } from './close-codes';
export { Connection, type ConnectionState, type Recorder } from './connection';
export type { Data, ServerFrame } from './frames';
export { Network, type SocketLike } from './network';
export { type OutgoingMessage } from './outbox';
export { Room } from './room';
export { type CatchUp, RoomLog, type RoomMessage } from './room-log';

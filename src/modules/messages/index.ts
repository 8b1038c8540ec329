/**
 * The message log.
 *
 * Owns the tables messages, held_messages and message_versions, and those of states of messages: message_reactions,
 * message_reaction_counts, room_pins (docs/adr/0043). Invariants: seq of a room is 1…N without a gap; a message is answered only after its
 * durable commit; one client_message_id of a sender in a room is one message; a deleted message keeps its seq.
 * Concurrency: all sends go through the Appender (group commit, see there); edits and deletes are functions of the
 * schema that lock the room first. Failure: a send whose commit is in doubt is resolved by asking the log; until then
 * the client gets 503 with outcome "unknown", safe to repeat with its id.
 */
export { AgentRooms, type AiTurn, AiTurns } from './message-feed';
export { type AppendHook, AppendHooks, type StateHook } from './appender/append.repository';
export { isStored, type MessageDraft, type Stored } from './appender/item';
export { bindingId, bodyHash, MessagesService, MessageWriter, metaText } from './messages.service';
export { ChatLog, type LoggedMessage } from './chat-log.repository';
export { MessageFacts } from './messages.repository';
export { MessagePreviews } from './message-previews';
export { type MessageTrace, MessageTraces } from './message-traces';
export { MessagesModule } from './messages.module';
export { answering, heldMessagesReleased, messagesTrimmed, messageVersionsReleased } from './messages.functions';
export { CHANGE_SCHEMA, type ChangeDto, MessageDto } from './dto/message.dto';
export { changeView } from './message-pages';
export { LogMessageFrames, MessagesRoomLog } from './room-log/room-log';
export type { MessageRow } from './views';

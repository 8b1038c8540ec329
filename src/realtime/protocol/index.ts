/**
 * The protocol: what clients send on `/ws`, and the documents of what goes both ways.
 *
 * A frame is registered once, by `@SocketOperation` on a gateway's method; a frame of the server by `@ServerFrame` on
 * the class of its fields. The dispatcher, the boot's checks and docs/asyncapi.json read these and nothing else.
 *
 * Invariants. Every message of a client is answered or acted upon: what is refused gets an `error` frame, nothing is
 * dropped in silence while the connection is open. Answers leave in the order of the frames. A message's content is
 * never logged; a fault of the server is logged once, under the id that its error frame carries. Validation is that of
 * REST: the same compiled DTOs.
 *
 * Concurrency, per connection. Admission (parse, rate, validate, start) is synchronous, so frames are admitted one
 * after the other. Operations may end later, in any order; 64 frames without their answer pause the reading, and what
 * was read already is kept. Operations that wait for sends start when the connection's earlier sends of the same rooms
 * are done; sends start in their order; everything else starts at once. Before a close for a bad client (1003, 4008)
 * the answers that are still to come are written.
 */
export { buildSocketDocument } from './asyncapi/document';
export { installSocketDocs } from './asyncapi/page';
export { Dispatcher } from './dispatcher';
// The frames of presence and of streams are declared by being loaded.
export { SubscribedFrameDto, SubscriptionFrameDto, TypingFrameDto, UnsubscribedFrameDto } from './dto/frames.dto';
export { type FrameContext, ServerFrame, SOCKET_OPERATION, SocketOperation, SocketOperations } from './operations';
export { ProtocolModule } from './protocol.module';

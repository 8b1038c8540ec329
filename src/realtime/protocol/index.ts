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
// The frames of presence and of streams are declared by being loaded.
import './dto/stream-frames.dto';
export { TypingFrameDto } from './dto/presence-frames.dto';

export { type AsyncApiDocument, buildSocketDocument } from './asyncapi/document';
export { installSocketDocs } from './asyncapi/install';
export { CLIENT_FRAMES } from '../transport/documented-frames';
export { Dispatcher } from './dispatcher';
export { SubscribedFrameDto, SubscriptionFrameDto, UnsubscribedFrameDto } from './dto/subscription-frames.dto';
export { errorFrame } from '../transport/error-frame';
export { SocketOperations } from './operations';
export { PROTOCOL_PROVIDERS } from './protocol.module';
export { ServerFrame, serverFrames } from './server-frame';
export { type FrameContext, SOCKET_OPERATION, SocketOperation } from './socket-operation';

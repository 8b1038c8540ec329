import { SetMetadata } from '@nestjs/common';
import { SubscribeMessage } from '@nestjs/websockets';
import type { ErrorCode } from '../../common/errors';
import type { Caller } from '../../platform/auth';
import type { DtoClass } from '../../platform/validation';
import type { AcceptedConnection } from '../feed/ports';

/** What an operation learns beside the frame's fields. */
export interface FrameContext {
  readonly connection: AcceptedConnection;
  /** Of this frame alone: its request id, and what a service sets on it (e.g. `replayed`). */
  readonly caller: Caller;
  /** As the client gave it: frames that answer later than the operation returns carry it. */
  readonly requestId: string | undefined;
}

/** Which limit a frame counts against: `message` the tenant's ws_messages_per_second, `other` 100 a second. */
export type FrameFamily = 'message' | 'other';

export interface SocketOperationOptions<D extends object, R> {
  /** The frame's `type`, one of those that the gateway's door lists. */
  readonly name: string;
  /** The frame's fields, beside `type` and `request_id`. */
  readonly dto: new () => D;
  /** Default other. */
  readonly family?: FrameFamily;
  /** The reply's type, and its fields beside that and `request_id`. Without it the sender gets no reply. */
  readonly replies?: { readonly name: string; readonly dto: new () => R };
  /** Starts only when the sends that the connection made before into the same rooms are done. Default false. */
  readonly waitsForSends?: boolean;
  /** One sentence for the documents. */
  readonly summary: string;
  /** Errors beyond validation, rate, unavailability and faults of the server. */
  readonly errors?: readonly ErrorCode[];
}

/** The options as the registry keeps them. */
export type FrameFacts = Readonly<
  Omit<SocketOperationOptions<object, unknown>, 'dto' | 'replies'> & {
    dto: DtoClass;
    replies?: { readonly name: string; readonly dto: DtoClass };
  }
>;

export const SOCKET_OPERATION = Symbol('socket operation');

/**
 * Makes a method of a gateway the operation of one client frame: the only registration that a frame has. The method
 * gets the frame's validated fields and returns the reply's, now or later; what it throws becomes an error frame.
 */
export function SocketOperation<D extends object, R = void>(
  options: SocketOperationOptions<D, R>,
): <H extends (context: FrameContext, frame: D) => R | Promise<R>>(
  target: object,
  property: string | symbol,
  descriptor: TypedPropertyDescriptor<H>,
) => void {
  return (target, property, descriptor) => {
    SubscribeMessage(options.name)(target, property, descriptor);
    SetMetadata(SOCKET_OPERATION, options)(target, property, descriptor);
  };
}

import { WebSocketGateway } from '@nestjs/websockets';
import { IsInt, IsOptional, IsString, MaxLength, Min, MinLength } from 'class-validator';
import { AppError, unavailable } from '../../../src/common/errors';
import { type FrameContext, SocketOperation } from '../../../src/realtime/protocol';
import { IsJsonObject } from '../../../src/platform/validation';

export class SendFrame {
  @IsString()
  room_id!: string;

  @IsString()
  @MinLength(1)
  @MaxLength(1000)
  content!: string;

  @IsOptional()
  @IsJsonObject({ maxBytes: 1024 })
  meta?: Record<string, unknown>;
}

export class RoomFrame {
  @IsString()
  room_id!: string;
}

export class PositionFrame extends RoomFrame {
  @IsInt()
  @Min(0)
  seq!: number;
}

export class NothingFrame {}

class Reply {
  note?: string;
}

/** A send that waits for the test to say what becomes of it. */
export interface PendingSend {
  readonly frame: SendFrame;
  readonly context: FrameContext;
  readonly accept: () => void;
  readonly fail: (error: unknown) => void;
}

/** Every frame that must have an operation. Sends wait for the test; what `content` and `room_id` say decides the rest. */
@WebSocketGateway({ path: '/ws' })
export class TestGateway {
  readonly sends: PendingSend[] = [];
  /** What was started, in order. */
  readonly started: string[] = [];
  /** Answers of `subscribe`, resolved by the test when set. */
  subscribing: Promise<void> | undefined;

  @SocketOperation({
    name: 'send_message',
    dto: SendFrame,
    family: 'message',
    replies: { name: 'message.accepted', dto: Reply },
    summary: 'Sends.',
  })
  send(context: FrameContext, frame: SendFrame): Promise<Reply> {
    this.started.push(frame.content);
    return new Promise((resolve, reject) => {
      this.sends.push({ frame, context, accept: () => resolve({ note: frame.content }), fail: reject });
    });
  }

  @SocketOperation({
    name: 'ack',
    dto: PositionFrame,
    replies: { name: 'ack.received', dto: PositionFrame },
    summary: 'Acks.',
  })
  ack(_: FrameContext, frame: PositionFrame): PositionFrame {
    this.started.push(`ack ${frame.seq}`);
    return frame;
  }

  @SocketOperation({ name: 'read', dto: RoomFrame, replies: { name: 'read.received', dto: Reply }, summary: 'Fails.' })
  read(_: FrameContext, { room_id }: RoomFrame): Reply {
    if (room_id === 'away') throw unavailable('The database is away');
    if (room_id === 'running') throw new AppError('CONFLICT', 'Still running', { retryAfterSeconds: 2 });
    if (room_id === 'taken') throw new AppError('CONFLICT', 'Taken', { field: 'room_id' });
    if (room_id === 'cycle') return { note: 1n as unknown as string };
    throw new Error(`secret of ${room_id}`);
  }

  @SocketOperation({ name: 'react', dto: RoomFrame, summary: 'Reacts.' })
  react(_: FrameContext, { room_id }: RoomFrame): void {
    this.started.push(`react ${room_id}`);
  }

  @SocketOperation({ name: 'typing.start', dto: RoomFrame, summary: 'Types.' })
  typing(_: FrameContext, { room_id }: RoomFrame): void {
    this.started.push(`typing ${room_id}`);
  }

  @SocketOperation({ name: 'typing.stop', dto: RoomFrame, summary: 'Stops.' })
  stop(_: FrameContext, { room_id }: RoomFrame): void {
    this.started.push(`stop ${room_id}`);
  }

  @SocketOperation({ name: 'unsubscribe', dto: RoomFrame, waitsForSends: true, summary: 'Unsubscribes.' })
  unsubscribe(_: FrameContext, { room_id }: RoomFrame): void {
    this.started.push(`unsubscribe ${room_id}`);
  }

  @SocketOperation({
    name: 'subscribe',
    dto: RoomFrame,
    replies: { name: 'subscribed', dto: Reply },
    waitsForSends: true,
    summary: 'Subscribes.',
  })
  async subscribe(_: FrameContext, { room_id }: RoomFrame): Promise<Reply> {
    this.started.push(`subscribe ${room_id}`);
    await this.subscribing;
    return {};
  }

  @SocketOperation({ name: 'notification.ack', dto: NothingFrame, summary: 'Acknowledges.' })
  acknowledge(): void {
    this.started.push('notification.ack');
  }

  @SocketOperation({ name: 'sync', dto: RoomFrame, waitsForSends: true, summary: 'Syncs.' })
  sync(_: FrameContext, { room_id }: RoomFrame): void {
    this.started.push(`sync ${room_id}`);
  }

  @SocketOperation({ name: 'ping', dto: NothingFrame, replies: { name: 'pong', dto: NothingFrame }, summary: 'Pings.' })
  ping(): NothingFrame {
    return {};
  }
}

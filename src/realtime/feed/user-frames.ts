import { Injectable } from '@nestjs/common';
import { userAddress } from '../../common/ids';
import { Bus, type Topic, type Unsubscribe } from '../../platform/cluster';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { type AcceptedConnection, ByUser, type Frame, OnConnection, SOCKET_PATH, toWire } from '../transport';

/** A frame for the connections of one user. */
interface UserFrame {
  readonly tenantId: string;
  readonly userId: string;
  readonly frame: Frame;
}

const USER_FRAMES: Topic<UserFrame> = 'user-frames';

/**
 * Frames for one user's own connections, on whatever node: what the user has set on one device, told to the others. They are
 * hints, of which one may be lost: what they tell is read where it is listed.
 */
@Injectable()
export class UserFrames {
  private readonly byUser = new ByUser<AcceptedConnection>();
  private readonly unsubscribe: Unsubscribe;
  private readonly closed = (connection: AcceptedConnection): void => {
    this.byUser.delete(connection);
    this.bus.unfollow(userAddress(connection.tenantId, connection.userId));
  };

  constructor(private readonly bus: Bus) {
    this.unsubscribe = bus.subscribe(USER_FRAMES, ({ payload }) => this.hear(payload));
  }

  @OnStop(StopStage.workers)
  end(): void {
    this.unsubscribe();
  }

  @OnConnection(SOCKET_PATH, 'user frames', { after: ['feed'] })
  opened(connection: AcceptedConnection): void {
    this.byUser.add(connection);
    void this.bus.follow(userAddress(connection.tenantId, connection.userId));
    connection.onClose(this.closed);
  }

  /** Neither blocks nor fails. */
  tell(tenantId: string, userId: string, frame: Frame): void {
    this.bus.publish(USER_FRAMES, { tenantId, userId, frame }, userAddress(tenantId, userId));
  }

  private hear({ tenantId, userId, frame }: UserFrame): void {
    const connections = this.byUser.ofUser(tenantId, userId);
    if (connections.length === 0) return;
    const wire = toWire(frame);
    for (const connection of connections) connection.sendFrame(wire);
  }
}

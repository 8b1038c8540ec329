import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { roomKey } from '../../../common/ids';
import { Bus, type Topic, type Unsubscribe } from '../../../platform/cluster';
import { Jobs } from '../../../platform/jobs';
import { OnStop, StopStage } from '../../../platform/lifecycle';

const AGENT_ROOMS: Topic<{ readonly room: string }> = 'agent-rooms';

const ROOMS_REMEMBERED = 50_000;

/**
 * Rooms in which agents were seen, so that who stores a message there wakes the workers: only the database knows whether it
 * asks anybody. A hint: a room that is not known here, or was forgotten, is answered half a second later, by the poll; and one
 * without agents any more wakes workers for nothing.
 */
@Injectable()
export class AgentRooms {
  private readonly known = new LRUCache<string, true>({ max: ROOMS_REMEMBERED });
  private readonly unsubscribe: Unsubscribe;

  constructor(
    private readonly bus: Bus,
    private readonly jobs: Jobs,
  ) {
    this.unsubscribe = bus.subscribe(AGENT_ROOMS, ({ payload }) => this.known.set(payload.room, true));
  }

  @OnStop(StopStage.log)
  end(): void {
    this.unsubscribe();
  }

  /** The room has agents, or had. */
  note(tenantId: string, roomId: string): void {
    const room = roomKey(tenantId, roomId);
    if (this.known.has(room)) return;
    this.known.set(room, true);
    this.bus.publish(AGENT_ROOMS, { room });
  }

  /** A message was stored there. */
  stored(tenantId: string, roomId: string): void {
    if (this.known.size > 0 && this.known.has(roomKey(tenantId, roomId))) this.jobs.wake();
  }
}

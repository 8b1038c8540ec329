import { Inject, Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { roomKey } from '../../common/ids';
import type { Caller } from '../../platform/auth';
import { Bus, type Topic, type Unsubscribe } from '../../platform/cluster';
import { Jobs } from '../../platform/jobs';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { isUnknown, type RoomEvent, RoomFeed, Typing } from '../../realtime';
import type { WriteOutcome } from './appender/batch-writer';
import {
  isStateChange,
  type LogWrite,
  type MessageDraft,
  type MessageJob,
  type NewMessage,
  type Stored,
} from './appender/item';
import { stateEvent } from './states/state-frames';
import { messageChangeFrame, messageFrame, type MessageRow, messageText, rowOf } from './views';

/** What a message into a room of type `ai` needs: the limits of the models allow it, and its answer is a job. */
export interface AiTurn {
  readonly jobs: readonly MessageJob[];
  /** It is refused while another answer of the room is not over, and nothing is stored then. */
  readonly onlyIfFree: boolean;
  /** The message is committed, whether its caller still waits for it or not. */
  onStored(stored: Stored): void;
}

/** What has messages into rooms of type `ai` answered; the log does not know how. Implemented by the chats module. */
export abstract class AiTurns {
  /** Throws what the limits say: 429. */
  abstract begin(caller: Caller, draft: MessageDraft): Promise<AiTurn>;
  /** Questions were deleted, and these runs with them: their answers end now. */
  abstract cancelled(runIds: readonly string[]): void;
}

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

/** Hands what the log has stored to the feed. */
@Injectable()
export class MessageFeed {
  constructor(
    private readonly feed: RoomFeed,
    private readonly typing: Typing,
    private readonly turns: AiTurns,
    @Inject(AgentRooms) private readonly agentRooms: Pick<AgentRooms, 'stored'>,
  ) {}

  /** A batch has been written, whether its callers still wait for it or not. */
  written(batch: readonly LogWrite[], outcomes: readonly WriteOutcome[]): void {
    const events: RoomEvent[] = [];
    outcomes.forEach((outcome, i) => {
      const message = batch[i];
      if (message === undefined) return;
      if (isStateChange(message)) {
        if (outcome.status === 'state' && outcome.outcome === 'new') events.push(stateEvent(message, outcome.state));
        else if (isDoubtful(outcome)) this.feed.touchRoom(message.tenantId, message.roomId);
      } else if (outcome.status === 'new') {
        message.onStored?.(outcome);
        this.agentRooms.stored(message.tenantId, message.roomId);
        this.typing.endOnMessage(message.tenantId, message.roomId, message.senderId);
        events.push(eventOf(message, outcome));
      } else if (isDoubtful(outcome)) this.feed.touchRoom(message.tenantId, message.roomId);
    });
    if (events.length > 0) this.feed.publishEvents(events);
  }

  /**
   * A message was edited or deleted; repeated for an old change it does nothing.
   * @param runs the runs that were to answer it: they end now
   */
  changed(tenantId: string, roomId: string, row: MessageRow, runs: readonly string[] = []): void {
    this.feed.publishEvents([
      { tenantId, roomId, rev: row.rev, changedSeq: row.seq, frame: () => messageChangeFrame(row) },
    ]);
    this.turns.cancelled(runs);
  }
}

/** It may have changed the log, and nobody was told of it. */
function isDoubtful(outcome: WriteOutcome): boolean {
  if (outcome.status === 'failed') return isUnknown(outcome.error);
  return outcome.status === 'state' && outcome.isDoubtful === true;
}

function eventOf(message: NewMessage, stored: Stored): RoomEvent {
  const { tenantId, roomId } = message;
  const { rev, seq } = stored;
  return {
    tenantId,
    roomId,
    rev,
    seq,
    messageId: stored.messageId,
    frame: () => messageFrame(rowOf(message, stored)),
    text: () => messageText(rowOf(message, stored)),
  };
}

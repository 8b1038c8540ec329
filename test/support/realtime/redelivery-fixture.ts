import { ManualClock } from '../../../src/common/time';
import { Metrics } from '../../../src/platform/metrics';
import {
  type AcceptedConnection,
  type Audience,
  type Connection,
  type Deliveries,
  type MessageFrame,
  type MessageFrames,
  type Receipts,
  type Undelivered,
} from '../../../src/realtime';
import { Attempts, RedeliveryTurns, Sender } from '../../../src/realtime/redelivery/attempts';
import { Redelivery, RedeliveryHints } from '../../../src/realtime/redelivery/redelivery';
import { InterruptedBus } from '../cluster/interrupted-bus';
import { RecordingLog } from '../recording-log';
import { RecordingConnection } from './recording-connection';

export const WAIT_MS = 30_000;

/** Rooms and one user's cursors in memory, with the time moved by hand; the redelivery in it is the real one. */
export class RedeliveryFixture {
  readonly clock = new ManualClock();
  readonly log = new RecordingLog();
  readonly gaveUp: Undelivered[] = [];
  /** `last_seq` of each room. */
  readonly rooms = new Map<string, number>();
  /** The user's cursors; a room that is missing is none of theirs. */
  readonly cursors = new Map<string, number>();
  /** What the database is asked for next fails so often. */
  failures = 0;
  /** How often the cursors were looked up. */
  lookUps = 0;
  /** What a read of messages waits for. */
  gate: Promise<void> = Promise.resolve();
  private readonly sitting = new Map<Connection, Set<string>>();
  private readonly detached: ((connection: Connection, roomId: string) => void)[] = [];
  readonly bus = new InterruptedBus('node', () => undefined);
  readonly redelivery = this.node();

  /** The redelivery of one more node. */
  node(): Redelivery {
    const turns = new RedeliveryTurns();
    const audience = this.audience();
    const sender = new Sender(this.messages(), audience, turns, new Metrics(this.log));
    const attempts = new Attempts(this.receipts(), sender, turns, this.clock, this.log);
    const hints = new RedeliveryHints(this.bus);
    return new Redelivery(this.deliveries(), audience, attempts, hints, this.clock, { ackTimeoutMs: WAIT_MS });
  }

  /** A connection that sits in all rooms of the user. */
  open(on = this.redelivery, syncsByItself = true): RecordingConnection {
    const connection = Object.assign(new RecordingConnection(), { syncsByItself });
    this.sitting.set(connection, new Set(this.cursors.keys()));
    connection.onClose(() => this.sitting.delete(connection));
    on.opened(connection);
    return connection;
  }

  enter(connection: Connection, roomId: string): void {
    this.sitting.get(connection)?.add(roomId);
  }

  leave(connection: Connection, roomId: string): void {
    this.sitting.get(connection)?.delete(roomId);
    for (const handler of this.detached) handler(connection, roomId);
  }

  /** The user acknowledges, somewhere; `told`: all nodes hear of it. */
  async ack(roomId: string, seq: number, told = true): Promise<void> {
    const { tenantId, userId } = IDENTITY;
    this.cursors.set(roomId, Math.max(seq, this.cursors.get(roomId) ?? 0));
    if (told) this.redelivery.cursorMoved({ tenantId, roomId, userId, seq });
    await settle();
  }

  /** Lets time pass, with all the visits that it brings. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.clock.advance(Math.min(STEP_MS, left));
      this.redelivery.tick();
      await settle();
    }
  }

  private deliveries(): Deliveries {
    const sentThrough = (connection: Connection, roomId: string): number | undefined =>
      this.sitting.get(connection)?.has(roomId) === true ? (this.rooms.get(roomId) ?? 0) : undefined;
    return {
      sentThrough,
      liveRooms: (connection) =>
        [...(this.sitting.get(connection) ?? [])].map((roomId) => [roomId, this.rooms.get(roomId) ?? 0]),
    };
  }

  private audience(): Audience {
    return {
      members: (): Iterable<Connection> => this.sitting.keys(),
      allMembers: (): Iterable<Connection> => this.sitting.keys(),
      isMember: (connection, roomId) => this.sitting.get(connection)?.has(roomId) === true,
      roomsOf: (connection) => this.sitting.get(connection)?.size ?? 0,
      onDetached: (handler) => void this.detached.push(handler),
    };
  }

  private receipts(): Receipts {
    return {
      acked: async (_tenant, _user, roomIds) => {
        this.fail();
        this.lookUps++;
        return new Map(roomIds.flatMap((id) => (this.cursors.has(id) ? [[id, this.cursors.get(id) ?? 0]] : [])));
      },
      giveUp: async (undelivered) => {
        this.fail();
        this.gaveUp.push(undelivered);
      },
    };
  }

  private messages(): MessageFrames {
    return {
      read: async (_tenant, roomId, afterSeq, throughSeq, limit): Promise<MessageFrame[]> => {
        this.fail();
        await this.gate;
        const last = Math.min(throughSeq, this.rooms.get(roomId) ?? 0, afterSeq + limit);
        return Array.from({ length: Math.max(0, last - afterSeq) }, (_, i) => ({
          seq: afterSeq + 1 + i,
          frame: { type: 'message', room_id: roomId, seq: afterSeq + 1 + i },
        }));
      },
    };
  }

  private fail(): void {
    if (this.failures === 0) return;
    this.failures--;
    throw new Error('the database is away');
  }
}

const IDENTITY: AcceptedConnection = new RecordingConnection();
/** Less than a round of visits. */
const STEP_MS = 250;

/** Everything that was begun and needs no time has ended. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
}

/** The seqs of one room that were sent, in their order; forgets them. */
export function takeSeqs(connection: RecordingConnection, roomId = 'room'): unknown[] {
  return connection
    .take()
    .filter((frame) => frame['room_id'] === roomId)
    .map((frame) => frame['seq']);
}

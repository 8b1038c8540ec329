import type { Connection, StreamPiece, WireFrame } from '../contract';
import type { FrameBatches, GrowingBatch } from './batches';

/**
 * The connections that are at a channel's position. Each gets one batch per turn, shared by all of them; when somebody
 * comes or goes in mid-turn the batch is sealed first, so that it holds exactly what its receivers should get.
 */
export class LiveSet {
  /** Whether the connection is a member's. */
  private readonly connections = new Map<Connection, boolean>();
  private batch: GrowingBatch | undefined;

  constructor(private readonly batches: FrameBatches) {}

  get size(): number {
    return this.connections.size;
  }

  has(connection: Connection): boolean {
    return this.connections.has(connection);
  }

  /** undefined where the connection is not in the set. */
  isMember(connection: Connection): boolean | undefined {
    return this.connections.get(connection);
  }

  all(): IterableIterator<Connection> {
    return this.connections.keys();
  }

  *members(): Iterable<Connection> {
    for (const [connection, isMember] of this.connections) if (isMember) yield connection;
  }

  add(connection: Connection, isMember: boolean): void {
    if (!this.connections.has(connection)) this.batch?.seal();
    this.connections.set(connection, isMember);
  }

  delete(connection: Connection): boolean {
    this.batch?.seal();
    return this.connections.delete(connection);
  }

  send(frame: WireFrame): void {
    if (this.batch !== undefined && !this.batch.sealed) {
      this.batch.add(frame);
      return;
    }
    const batch = (this.batch = this.batches.open());
    batch.add(frame);
    for (const connection of this.connections.keys()) connection.sendBatch(batch);
  }

  sendEphemeral(key: string, frame: WireFrame, except: string | undefined): void {
    for (const connection of this.connections.keys())
      if (connection.userId !== except) connection.sendEphemeral(key, frame);
  }

  /** What comes after the piece in this turn leaves after it. */
  sendPiece(key: string, piece: StreamPiece): void {
    this.batch?.seal();
    for (const connection of this.connections.keys()) connection.sendPiece(key, piece);
  }
}

import type { Connection, StreamPiece, WireFrame } from '../contract';
import type { FrameBatches, GrowingBatch } from './batches';

/**
 * The connections that are at a channel's position. Each gets one batch per turn, shared by all of them; when somebody
 * comes or goes in mid-turn the batch is sealed first, so that it holds exactly what its receivers should get.
 */
export class LiveSet {
  private readonly connections = new Set<Connection>();
  /** Those whose user is no member. */
  private listeners: Set<Connection> | undefined;
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
    return this.connections.has(connection) ? this.listeners?.has(connection) !== true : undefined;
  }

  all(): Iterable<Connection> {
    return this.connections;
  }

  *members(): Iterable<Connection> {
    for (const connection of this.connections) if (this.listeners?.has(connection) !== true) yield connection;
  }

  add(connection: Connection, isMember: boolean): void {
    if (!this.connections.has(connection)) this.batch?.seal();
    this.connections.add(connection);
    if (isMember) this.listeners?.delete(connection);
    else (this.listeners ??= new Set()).add(connection);
  }

  delete(connection: Connection): boolean {
    this.batch?.seal();
    this.listeners?.delete(connection);
    return this.connections.delete(connection);
  }

  send(frame: WireFrame): void {
    if (this.batch !== undefined && !this.batch.sealed) {
      this.batch.add(frame);
      return;
    }
    const batch = (this.batch = this.batches.open());
    batch.add(frame);
    for (const connection of this.connections) connection.sendBatch(batch);
  }

  sendEphemeral(key: string, frame: WireFrame, except: string | undefined): void {
    for (const connection of this.connections) if (connection.userId !== except) connection.sendEphemeral(key, frame);
  }

  /** What comes after the piece in this turn leaves after it. */
  sendPiece(key: string, piece: StreamPiece): void {
    this.batch?.seal();
    for (const connection of this.connections.keys()) connection.sendPiece(key, piece);
  }
}

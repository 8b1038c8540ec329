import { hash } from 'node:crypto';
import { decodeId, type IdKind } from '../../../../common/ids';
import type { ImportSource } from '../entities/import.entity';

/** What has an id in a file. */
export type ImportedKind = Extract<IdKind, 'channel' | 'room' | 'message' | 'subscription'> | 'run';

/**
 * The ids that what is imported gets: those of the file where the tenant had no room, else ids that are made of them, so that
 * the same file again finds what is there, and nothing of the tenant's own is met.
 */
export class ImportIds {
  constructor(
    private readonly tenantId: string,
    private readonly source: ImportSource,
    private readonly isKept: boolean,
  ) {}

  /** The UUID of something. @param within the id of its room in the file, where it is one of a room's */
  uuid(kind: ImportedKind, id: string, within = ''): string {
    return this.isKept ? (this.kept(kind, id) ?? this.derived(kind, id, within)) : this.derived(kind, id, within);
  }

  /** Every UUID that the room may have been given, by this import or another one of the same source. */
  ofRoom(id: string): readonly string[] {
    const kept = this.kept('room', id);
    return [...(kept === undefined ? [] : [kept]), this.derived('room', id, '')];
  }

  /** The client_message_id of a message that is no answer: the file's own, or what marks it as imported. */
  clientId(own: string | null, id: string, within: string): string | null {
    if (this.isKept || this.source !== 'chatapi') return own;
    return `imp:${this.hashOf('client', id, within).toString('base64url')}`;
  }

  private kept(kind: ImportedKind, id: string): string | undefined {
    return kind === 'run' ? id : decodeId(kind, id);
  }

  /** 122 bits of a hash; of a message 74 behind the time of its id, so that the index of ids grows at its end. */
  private derived(kind: ImportedKind, id: string, within: string): string {
    const bytes = this.hashOf(kind, id, within);
    const time = kind === 'message' ? this.kept(kind, id)?.replaceAll('-', '').slice(0, 12) : undefined;
    if (time !== undefined) bytes.write(time, 'hex');
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | (time === undefined ? 0x80 : 0x70), 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString('hex', 0, 16);
    return [
      [0, 8],
      [8, 12],
      [12, 16],
      [16, 20],
      [20, 32],
    ]
      .map(([from, to]) => hex.slice(from, to))
      .join('-');
  }

  private hashOf(kind: string, id: string, within: string): Buffer {
    return hash('sha256', JSON.stringify([this.tenantId, this.source, kind, within, id]), 'buffer');
  }
}

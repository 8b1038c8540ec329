import { Injectable } from '@nestjs/common';
import { SystemDatabase } from '../../../../platform/database';
import { messagesImport } from '../imports.functions';

/** A room under construction; all are UUIDs. */
export interface ImportedRoom {
  readonly tenantId: string;
  readonly importId: string;
  readonly roomId: string;
}

/** The way of imported messages into the log: only the append's own role writes there. */
@Injectable()
export class ImportedLog {
  constructor(private readonly system: SystemDatabase) {}

  /** Adds those that the room has not yet; returns how many. Nothing, where the import is not making the room. */
  add({ tenantId, importId, roomId }: ImportedRoom, rows: readonly object[]): Promise<number> {
    return messagesImport.call(this.system, { p_tenant: tenantId, p_room: roomId, p_import: importId, p_rows: rows });
  }
}

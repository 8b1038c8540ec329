import { bodyHash } from '../../../messages';
import type { ChatFields, EventFields, Json, MemberFields, MessageFields, RoomFields, RunFields } from '../../format';
import {
  chatImport,
  importEventsAdd,
  importMembersAdd,
  importRoomOpen,
  runsImport,
  usageRoomImported,
} from '../imports.functions';
import { RowBatch } from './batch';
import type { ImportIds } from './import-ids';
import type { ImportedLog } from './imported-log.repository';
import { ImportRefused, type ImportWriter } from './writer';

/** Messages whose sizes are counted in one transaction. */
const COUNTED_AT_ONCE = 5000;

/** Where a room goes. */
export interface RoomPlace {
  readonly roomId: string;
  /** Its messages are there up to this seq. */
  readonly reached: number;
}

/**
 * One room under construction. Its lines are written as they come, and are seen by nobody; the last transaction opens it. What a
 * load before this one has written is passed over, message by message, or is not written a second time.
 */
export class RoomLoad {
  private readonly members: RowBatch;
  private readonly events: RowBatch;
  private readonly messages: RowBatch;
  private readonly runs: RowBatch;
  private chatRow: ChatFields | undefined;

  constructor(
    private readonly room: RoomFields,
    readonly place: RoomPlace,
    private readonly writer: ImportWriter,
    private readonly ids: ImportIds,
    log: ImportedLog,
  ) {
    const { tenantId, importId } = writer.run;
    const ref = { p_room: place.roomId, p_import: importId };
    const rowsOf = (kind: string, fn: typeof runsImport): RowBatch =>
      new RowBatch((rows) =>
        writer.transaction(async (tx) => ({ [kind]: await fn.callIn(tx, tenantId, { ...ref, p_rows: rows }) })),
      );
    this.members = rowsOf('member', importMembersAdd);
    this.events = rowsOf('event', importEventsAdd);
    this.runs = rowsOf('run', runsImport);
    this.messages = new RowBatch(async (rows) => {
      await writer.piece(() => log.add({ tenantId, importId, roomId: place.roomId }, rows));
    });
  }

  member(fields: MemberFields, bytes: number): Promise<void> {
    return this.members.add(fields, bytes);
  }

  event(fields: EventFields, bytes: number): Promise<void> {
    const payload = Object.fromEntries(
      Object.entries(fields.payload).map(([key, value]): [string, Json] => [
        key,
        key === 'room_id' ? this.place.roomId : value,
      ]),
    );
    return this.events.add({ ...fields, payload }, bytes);
  }

  async message(fields: MessageFields, bytes: number): Promise<void> {
    if (fields.seq <= this.place.reached) return;
    const { message_id, client_message_id, content, meta, role, room_id } = fields;
    const uuid = this.ids.uuid('message', message_id, room_id);
    const isAnswer = role === 'assistant' && client_message_id === null;
    const row = {
      ...fields,
      message_id: uuid,
      // The append binds an answer by its own id, which an export leaves out.
      client_message_id: isAnswer ? uuid : this.ids.clientId(client_message_id, message_id, room_id),
      body_hash: bodyHash(content, meta === null ? null : JSON.stringify(meta)).toString('hex'),
    };
    await this.messages.add(row, bytes);
  }

  chat(fields: ChatFields): void {
    this.chatRow = fields;
  }

  run(fields: RunFields, bytes: number): Promise<void> {
    return this.runs.add({ ...fields, run_id: this.ids.uuid('run', fields.run_id, fields.room_id) }, bytes);
  }

  /** Writes what is left, and opens the room. @throws ImportRefused */
  async end(): Promise<void> {
    for (const batch of [this.members, this.events, this.messages, this.runs]) await batch.flush();
    while (!(await this.countSizes()));
    const { roomId } = this.place;
    const { tenantId, importId } = this.writer.run;
    await this.writer.transaction(async (tx) => {
      const args = { p_room: roomId, p_import: importId, p_row: this.room };
      const { status } = await importRoomOpen.callIn(tx, tenantId, args);
      if (status === 'dm_exists') throw new ImportRefused('somebody has made a dm meanwhile that is in the file, too');
      if (status === 'done') return {};
      if (this.chatRow === undefined) return { room: 1 };
      await chatImport.callIn(tx, tenantId, { p_room: roomId, p_row: this.chatRow });
      return { room: 1, chat: 1 };
    });
  }

  /** @returns whether all are counted */
  private async countSizes(): Promise<boolean> {
    const { tenantId, importId } = this.writer.run;
    let counted = 0;
    await this.writer.transaction(async (tx) => {
      const args = { p_room: this.place.roomId, p_import: importId, p_limit: COUNTED_AT_ONCE };
      counted = await usageRoomImported.callIn(tx, tenantId, args);
      return { message: counted };
    });
    return counted < COUNTED_AT_ONCE;
  }
}

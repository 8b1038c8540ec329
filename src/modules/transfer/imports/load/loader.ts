import { Injectable } from '@nestjs/common';
import { Clock } from '../../../../common/time';
import { Database } from '../../../../platform/database';
import { RoomFeed } from '../../../../realtime';
import { RoomFacts } from '../../../rooms';
import type { RoomFields, TenantExportLine } from '../../format';
import {
  channelsImport,
  importedRooms,
  importRoomBegin,
  presetsImport,
  subscriptionsImport,
  usersImport,
} from '../imports.functions';
import { RowBatch } from './batch';
import type { ImportIds } from './import-ids';
import { ImportedLog } from './imported-log.repository';
import { RoomLoad } from './room-load';
import { ImportRefused, ImportWriter, type RunningImport } from './writer';

/** A line that was found good. */
export interface LoadedLine {
  readonly bytes: number;
  readonly value: TenantExportLine;
}

/** Members that are told of at once. */
const MEMBERS = 1000;

/** Writes the lines of a file to a tenant. */
@Injectable()
export class ImportLoader {
  constructor(
    private readonly database: Database,
    private readonly log: ImportedLog,
    private readonly rooms: RoomFacts,
    private readonly feed: RoomFeed,
    private readonly clock: Clock,
  ) {}

  /**
   * Goes on where a load of the same file before this one ended, wherever that was. Two at once make everything once.
   * @throws ImportRefused, ImportOver, what `signal` aborts with, 503
   */
  async load(run: RunningImport, ids: ImportIds, lines: AsyncIterable<LoadedLine>, signal: AbortSignal): Promise<void> {
    const writer = new ImportWriter(run, this.database, this.clock, signal);
    const load = new Load(writer, ids, this.log, (roomId) => this.opened(run.tenantId, roomId));
    for await (const line of lines) await load.take(line);
    await load.end();
  }

  /** Members that are connected come in where the log ends: what is sent from now on reaches them. */
  private async opened(tenantId: string, roomId: string): Promise<void> {
    for (let after = 0; ;) {
      const members = await this.rooms.membersAfter(tenantId, roomId, after, MEMBERS);
      this.feed.touchRoom(
        tenantId,
        roomId,
        members.map(({ user_id }) => user_id),
      );
      after = members.at(-1)?.member_no ?? 0;
      if (members.length < MEMBERS) return;
    }
  }
}

/** One load of a file. */
class Load {
  private readonly channels: RowBatch;
  private readonly presets: RowBatch;
  private readonly users: RowBatch;
  private readonly subscriptions: RowBatch;
  /** undefined: none yet, or one that is there already. */
  private room: RoomLoad | undefined;

  constructor(
    private readonly writer: ImportWriter,
    private readonly ids: ImportIds,
    private readonly log: ImportedLog,
    private readonly opened: (roomId: string) => Promise<void>,
  ) {
    const rowsOf = (kind: string, fn: typeof usersImport): RowBatch =>
      new RowBatch((rows) =>
        writer.transaction(async (tx) => ({ [kind]: await fn.callIn(tx, writer.run.tenantId, { p_rows: rows }) })),
      );
    this.channels = rowsOf('channel', channelsImport);
    this.presets = rowsOf('preset', presetsImport);
    this.users = rowsOf('user', usersImport);
    this.subscriptions = rowsOf('subscription', subscriptionsImport);
  }

  async take({ value, bytes }: LoadedLine): Promise<void> {
    const { ids, room } = this;
    switch (value.kind) {
      case 'tenant':
        return;
      case 'channel':
        return this.channels.add({ ...value, channel_id: ids.uuid('channel', value.channel_id) }, bytes);
      case 'preset':
        return this.presets.add(value, bytes);
      case 'user':
        return this.users.add(value, bytes);
      case 'room':
        return this.begin(value);
      case 'member':
        return room?.member(value, bytes);
      case 'event':
        return room?.event(value, bytes);
      case 'message':
        return room?.message(value, bytes);
      case 'chat':
        return room?.chat(value);
      case 'run':
        return room?.run(value, bytes);
      case 'subscription': {
        await this.endRoom();
        const subscription_id = ids.uuid('subscription', value.subscription_id);
        return this.subscriptions.add({ ...value, subscription_id }, bytes);
      }
    }
  }

  async end(): Promise<void> {
    await this.endRoom();
    for (const batch of [this.channels, this.presets, this.users, this.subscriptions]) await batch.flush();
  }

  private async begin(fields: RoomFields): Promise<void> {
    await this.endRoom();
    for (const batch of [this.channels, this.presets, this.users]) await batch.flush();
    const { writer, ids } = this;
    const { tenantId, importId } = writer.run;
    const known = await importedRooms.call(writer.database, tenantId, { p_rooms: ids.ofRoom(fields.room_id) });
    if (known.length > 0) return;
    const roomId = ids.uuid('room', fields.room_id);
    const args = { p_room: roomId, p_import: importId, p_row: fields };
    const begun = await writer.piece(() => importRoomBegin.call(writer.database, tenantId, args));
    if (begun.status === 'done') return;
    if (begun.status === 'taken')
      throw new ImportRefused('another import is making a room of the file, or was broken off');
    this.room = new RoomLoad(fields, { roomId, reached: begun.reached ?? 0 }, writer, ids, this.log);
  }

  private async endRoom(): Promise<void> {
    const { room } = this;
    this.room = undefined;
    if (room === undefined) return;
    await room.end();
    await this.opened(room.place.roomId);
  }
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeId } from '../../../common/ids';
import { Clock } from '../../../common/time';
import type { Snapshot } from '../../../platform/database';
import { Explorer } from '../../../platform/discovery';
import {
  type ExportPages,
  ROOM_LINES,
  TENANT_LINES,
  TENANT_SOURCE,
  type TenantLine,
  type TenantSource,
  USER_LINES,
  USER_SOURCE,
  type UserSource,
} from '../../../platform/tenant-data';
import type { LinesOfKind } from './export-text';

/** After so many milliseconds of work the export rests as long: others' calls come first. */
const WORK_MS = 20;
/** Kinds that only chats have. */
const OF_CHATS: ReadonlySet<TenantLine> = new Set(['chat', 'run']);
const WITH_ROOM: ReadonlySet<TenantLine> = new Set(ROOM_LINES);

interface RoomRow {
  readonly room_id: string;
  readonly type: string;
}

/** Where the lines of exports come from: the modules that own the tables. The server does not start where a kind has no source, or two. */
@Injectable()
export class ExportSources implements OnModuleInit {
  private ofTenant: ReadonlyMap<string, TenantSource> = new Map();
  private ofUser: ReadonlyMap<string, UserSource> = new Map();

  constructor(
    private readonly explorer: Explorer,
    private readonly clock: Clock,
  ) {}

  onModuleInit(): void {
    this.ofTenant = this.found<TenantSource>(TENANT_SOURCE, TENANT_LINES);
    this.ofUser = this.found<UserSource>(USER_SOURCE, USER_LINES);
  }

  /** All lines of a tenant's export, in the order of the format. @throws an AbortError */
  tenantLines(snapshot: Snapshot, signal: AbortSignal): AsyncGenerator<LinesOfKind> {
    return this.paced(this.allOfTenant(snapshot), signal);
  }

  /** All lines of the export of a user's data, in the order of the format. @throws an AbortError */
  userLines(snapshot: Snapshot, userId: string, signal: AbortSignal): AsyncGenerator<LinesOfKind> {
    return this.paced(this.allOfUser(snapshot, userId), signal);
  }

  private async *allOfTenant(snapshot: Snapshot): AsyncGenerator<LinesOfKind> {
    for (const kind of TENANT_LINES) {
      if (WITH_ROOM.has(kind)) continue;
      const pages = this.source(this.ofTenant, kind)(snapshot, '');
      if (kind === 'room') yield* this.roomsOf(snapshot, pages);
      else for await (const rows of pages) yield { kind, rows };
    }
  }

  private async *roomsOf(snapshot: Snapshot, pages: ExportPages): AsyncGenerator<LinesOfKind> {
    for await (const rooms of pages)
      for (const room of rooms as readonly RoomRow[]) {
        yield { kind: 'room', rows: [room] };
        yield* this.linesOfRoom(snapshot, room);
      }
  }

  private async *linesOfRoom(snapshot: Snapshot, { room_id, type }: RoomRow): AsyncGenerator<LinesOfKind> {
    const roomId = decodeId('room', room_id);
    if (roomId === undefined) throw new Error('A room of an export has no id');
    for (const kind of ROOM_LINES) {
      if (type !== 'ai' && OF_CHATS.has(kind)) continue;
      for await (const rows of this.source(this.ofTenant, kind)(snapshot, roomId)) yield { kind, rows };
    }
  }

  private async *allOfUser(snapshot: Snapshot, userId: string): AsyncGenerator<LinesOfKind> {
    for (const kind of USER_LINES)
      for await (const rows of this.source(this.ofUser, kind)(snapshot, userId)) yield { kind, rows };
  }

  private async *paced(lines: AsyncIterable<LinesOfKind>, signal: AbortSignal): AsyncGenerator<LinesOfKind> {
    let begun = this.clock.monotonicMs();
    for await (const part of lines) {
      signal.throwIfAborted();
      yield part;
      if (this.clock.monotonicMs() - begun < WORK_MS) continue;
      await pause(WORK_MS, undefined, { signal });
      begun = this.clock.monotonicMs();
    }
  }

  private source<S>(sources: ReadonlyMap<string, S>, kind: string): S {
    const source = sources.get(kind);
    if (source === undefined) throw new Error(`Exports have no source of lines of kind ${kind}`);
    return source;
  }

  private found<S>(mark: symbol, kinds: readonly string[]): ReadonlyMap<string, S> {
    const sources = new Map<string, S>();
    for (const { options: kind, call, name } of this.explorer.methods<string>(mark)) {
      if (sources.has(kind)) throw new Error(`Two sources of lines of kind ${kind} for exports: ${name} is the second`);
      sources.set(kind, call as S);
    }
    const missing = kinds.filter((kind) => !sources.has(kind));
    if (missing.length > 0) throw new Error(`No source of lines of kind ${missing.join(', ')} for exports`);
    return sources;
  }
}

import { AppError, type FieldError } from '../../../../common/errors';
import { decodeId, type IdKind } from '../../../../common/ids';
import type { Validator } from '../../../../platform/validation';
import { LINE_KEYS, type SubscriptionFields, type TenantExportLine, type TenantFieldsOf } from '../../format';
import type { ImportFault } from '../entities/import.entity';
import { HashSet } from './hash-set';
import { LINE_SHAPES } from './line-shapes';
import { type ValueFault, isRoomPart, RoomChecker, type RoomPart } from './room-checker';
import type { SourceLine } from './source-lines';

type Kind = keyof TenantFieldsOf;

/** Kinds in the order of the file; those of rooms are one. */
const ORDER: readonly string[] = ['tenant', 'channel', 'preset', 'user', 'room', 'subscription'];
/** Which ids of the API a line of an export has. */
const IDS: Readonly<Partial<Record<Kind, readonly (readonly [field: string, kind: IdKind])[]>>> = {
  channel: [['channel_id', 'channel']],
  room: [['room_id', 'room']],
  message: [['message_id', 'message']],
  subscription: [['subscription_id', 'subscription']],
};

type LinePlace = Pick<SourceLine, 'file' | 'line'>;

/** A dm of the file, to be looked for in the tenant. */
export interface DmOfFile extends LinePlace {
  readonly key: string;
  readonly roomId: string;
}

/**
 * Looks at the lines of a file one after the other: whether each is what its kind says, stands where it may, and refers to what
 * there is. Memory: 16 to 32 bytes for each id.
 */
export class LineChecker {
  /** Dms that were met since they were last taken out. */
  dms: DmOfFile[] = [];
  private rank = 0;
  private room: RoomChecker | undefined;
  /** Of its line. */
  private place: LinePlace = { file: '', line: 0 };
  private readonly seen = new HashSet();
  private readonly users = new HashSet();
  private readonly rooms = new HashSet();
  private readonly facts = {
    users: this.users,
    messages: new HashSet(),
    runs: new HashSet(),
    activeChats: new HashSet(),
  };

  constructor(private readonly validator: Validator) {}

  /** @returns what is wrong with the line, and what it shows to be wrong with the room before it */
  take({ file, line, value }: SourceLine): ImportFault[] {
    const kind = kindOf(value);
    if (kind === undefined) return [{ file, line, field: 'kind', message: 'must be a kind of line of an export' }];
    const before = isRoomPart(kind) && kind !== 'room' ? [] : this.endRoom();
    const faults = this.shape(kind, value as Record<string, unknown>);
    const found =
      faults.length > 0 ? faults : this.content({ file, line }, { ...(value as object), kind } as TenantExportLine);
    // What follows a room that cannot be read is not looked at.
    if (kind === 'room' && faults.length > 0) this.room = undefined;
    return [...before, ...found.map(([field, message]) => ({ file, line, field, message }))];
  }

  /** What the end of the file shows to be wrong. */
  end(): ImportFault[] {
    return this.endRoom();
  }

  /** Fields by themselves; nulls of the line are put back. */
  private shape(kind: Kind, value: Record<string, unknown>): ValueFault[] {
    const { kind: _, ...fields } = value;
    const shape: new () => object = LINE_SHAPES[kind];
    try {
      const checked = this.validator.body(shape, fields, 'The line');
      for (const key of LINE_KEYS[kind]) value[key] = (checked as Record<string, unknown>)[key] ?? null;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return refusals(kind, error);
    }
    return [...this.times(value), ...this.ids(kind, value)];
  }

  private times(value: Record<string, unknown>): ValueFault[] {
    return Object.entries(value).flatMap(([field, time]): ValueFault[] =>
      !field.endsWith('_at') || typeof time !== 'string' || isTime(time) ? [] : [[field, 'is no day of the calendar']],
    );
  }

  private ids(kind: Kind, value: Record<string, unknown>): ValueFault[] {
    return (IDS[kind] ?? []).flatMap(([field, of]): ValueFault[] =>
      decodeId(of, value[field]) === undefined ? [[field, 'is no such id']] : [],
    );
  }

  private content(place: LinePlace, fields: TenantExportLine): ValueFault[] {
    const { kind } = fields;
    const rank = ORDER.indexOf(isRoomPart(kind) ? 'room' : kind);
    if (rank < this.rank) return [['kind', `a ${kind} line may not follow a ${ORDER[this.rank] ?? ''} line`]];
    this.rank = rank;
    if (fields.kind === 'room') return this.begin(place, fields);
    if (isPart(fields)) {
      if (this.room === undefined) return this.rooms.size === 0 ? [['kind', `a ${kind} line needs a room line`]] : [];
      return this.room.part(fields.kind, fields);
    }
    if (fields.kind === 'user') return this.users.add(fields.user_id) ? [] : [['user_id', 'is there twice']];
    if (fields.kind === 'tenant') return this.once('tenant', 'kind');
    if (fields.kind === 'preset') return this.once(`preset ${fields.name}`, 'name');
    if (fields.kind === 'channel')
      return [...this.once(`channel ${fields.channel_id}`, 'channel_id'), ...this.once(`name ${fields.name}`, 'name')];
    return this.subscription(fields);
  }

  private begin(place: LinePlace, fields: TenantFieldsOf['room']): ValueFault[] {
    const isNew = this.rooms.add(fields.room_id);
    this.place = place;
    this.room = new RoomChecker(fields, this.facts);
    if (fields.unique_key !== null) this.dms.push({ ...place, key: fields.unique_key, roomId: fields.room_id });
    const keyFaults = fields.unique_key === null ? [] : this.once(`dm ${fields.unique_key}`, 'unique_key');
    return [...(isNew ? [] : [['room_id', 'is there twice'] as const]), ...keyFaults, ...this.room.own()];
  }

  private subscription({ subscription_id, user_id, topic }: SubscriptionFields): ValueFault[] {
    return [
      ...(this.users.has(user_id) ? [] : [['user_id', 'is no user of the file'] as const]),
      ...this.once(`subscription ${subscription_id}`, 'subscription_id'),
      ...this.once(`topic ${user_id} ${topic}`, 'topic'),
    ];
  }

  private once(name: string, field: string): ValueFault[] {
    return this.seen.add(name) ? [] : [[field, 'is there twice']];
  }

  private endRoom(): ImportFault[] {
    const { room } = this;
    this.room = undefined;
    return room === undefined ? [] : room.end().map(([field, message]) => ({ ...this.place, field, message }));
  }
}

function kindOf(value: unknown): Kind | undefined {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return undefined;
  const { kind } = value;
  return typeof kind === 'string' && Object.hasOwn(LINE_SHAPES, kind) ? (kind as Kind) : undefined;
}

type PartLine = Extract<TenantExportLine, { readonly kind: Exclude<RoomPart, 'room'> }>;

function isPart(line: TenantExportLine): line is PartLine {
  return isRoomPart(line.kind) && line.kind !== 'room';
}

function isTime(text: string): boolean {
  const time = new Date(text);
  return !Number.isNaN(time.getTime()) && time.toISOString() === text;
}

/** A field that the kind has not is not named: its name may be anything. */
function refusals(kind: Kind, { field, message, details }: AppError): ValueFault[] {
  const errors = (details?.['errors'] as readonly FieldError[] | undefined) ?? [{ field: field ?? '', message }];
  return errors.map((error): ValueFault => {
    const known = LINE_KEYS[kind].includes(error.field.split(/[.[]/, 1)[0] ?? '');
    return known ? [error.field, error.message] : ['', `the line has a field that a ${kind} line has not`];
  });
}

/** Where in an export of Stream Chat the messages of each channel stand, and everything else of it. */
import type { RandomAccess } from '../imports/import-file';
import { type AdaptedFault, asObject, asText, bounded, FileFault, type Place, type Unknown } from './adapter';
import { type Choice, type JsonEvent, jsonEvents, type Path } from './json-scanner';
import type { ForeignMember } from './room-lines';
import type { JsonObject } from '../format';
import { channelKeyOf, isUnseen, microsecondsOf, streamMember, streamProfile, userIdOf } from './stream-objects';

/** Bytes of the file in which messages of one channel stand: a list of them, or items one after the other. */
export interface Segment {
  readonly isList: boolean;
  readonly start: number;
  end: number;
  readonly line: number;
}

/** What the file has of a channel. */
export interface ChannelEntry {
  readonly key: string;
  /** Undefined: it is spoken of, and is not there. */
  channel: Unknown | undefined;
  place: Place;
  readonly members: Map<string, ForeignMember>;
  readonly segments: Segment[];
  /** Whether its messages stand by time. */
  isSorted: boolean;
  lastUs: number;
}

/** Of one value that is held: a message, a member, a channel with its settings, a user. */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024;
const MAX_PROFILE_BYTES = 8 * 1024;
/** A file whose channels are mixed line by line costs as much for each message as a channel does else. */
const MAX_SEGMENTS = 1_000_000;

/** Kinds of items that there is no line for. */
const PASSED_OVER = new Set([
  'device',
  'reaction',
  'future_channel_ban',
  'read',
  'reads',
  'read_state',
  'thread',
  'poll',
]);

const TAKEN = new Set(['channel', 'item', 'data', 'type', 'user', 'member', 'message']);
const LISTS = new Set(['messages', 'members', 'users', 'channels']);

const NO_EXPORT = 'it is no export of Stream Chat: it has neither channels nor users';

/** What stands at the path inside of the object that it belongs to: a channel with all of its own, or an item. */
function within(path: Path): Path {
  if (typeof path[1] === 'number') return path.slice(2);
  if (path[1] === 'channels' && path.length > 2) return path.slice(3);
  return path.slice(1);
}

function choose(path: Path): Choice {
  const [key, index] = within(path);
  if (key === undefined) return 'enter';
  if (index !== undefined) return 'take';
  if (TAKEN.has(String(key))) return 'take';
  return LISTS.has(String(key)) ? 'enter' : 'pass';
}

/** The kind and the fields of an item: `{type, item}`, `{type, data}`, or `{message: …}`. */
export function itemOf(entity: Unknown): { readonly kind: string; readonly fields: Unknown } | undefined {
  const fields = asObject(entity['item']) ?? asObject(entity['data']);
  const type = asText(entity['type']);
  if (fields !== undefined && type !== undefined) return { kind: type === 'channel_member' ? 'member' : type, fields };
  for (const kind of ['message', 'member', 'user', 'channel']) {
    const alone = asObject(entity[kind]);
    if (alone !== undefined) return { kind, fields: alone };
  }
  return undefined;
}

/** The key of the channel of a message or a member that stands alone. */
export function keyOfItem(fields: Unknown): string | undefined {
  return channelKeyOf(fields, 'channel_id');
}

/** An object of the file that is being read. */
interface Entity {
  fields: Record<string, unknown>;
  lists: Segment[];
  members: Unknown[];
  /** Of its list of messages. */
  isSorted: boolean;
  lastUs: number;
  hasList: boolean;
}

function newEntity(): Entity {
  return { fields: {}, lists: [], members: [], isSorted: true, lastUs: -Infinity, hasList: false };
}

/** One pass over the file. Memory: channels, memberships and users; of messages only where they stand. */
export class StreamIndex {
  readonly channels = new Map<string, ChannelEntry>();
  readonly profiles = new Map<string, JsonObject>();
  /** When users were made, in milliseconds since 1970, by their ids. */
  readonly madeAt = new Map<string, number>();
  /** Ids of messages that others answer. */
  readonly parents = new Set<string>();
  private entity = newEntity();
  private segments = 0;
  /** The channel whose message was the last item. */
  private running: ChannelEntry | undefined;

  /** Yields what cannot be imported. Throws FileFault where the file cannot be read on. */
  async *read(file: RandomAccess, signal?: AbortSignal): AsyncGenerator<AdaptedFault, void, undefined> {
    let isEmpty = true;
    for await (const event of jsonEvents(file.stream(), { file: '', choose, maxBytes: MAX_VALUE_BYTES })) {
      signal?.throwIfAborted();
      isEmpty = false;
      const fault = this.take(event);
      if (fault !== undefined) yield { file: '', line: event.line, fault };
    }
    if (isEmpty || (this.channels.size === 0 && this.profiles.size === 0)) throw new FileFault(NO_EXPORT);
    for (const { key, channel, place } of this.channels.values())
      if (channel === undefined)
        yield { ...place, fault: `channel ${key.slice(0, 100)} is spoken of, but is not in the file` };
  }

  addUser(value: unknown): void {
    const id = userIdOf(value);
    if (id === undefined) return;
    const user = asObject(value);
    if (user === undefined && this.profiles.has(id)) return;
    this.profiles.set(id, bounded(streamProfile(user ?? {}), 'stream', MAX_PROFILE_BYTES));
    const us = microsecondsOf(user?.['created_at']);
    if (us !== undefined) this.madeAt.set(id, us / 1000);
  }

  private take(event: JsonEvent): string | undefined {
    const [key, index] = within(event.path);
    const name = String(key);
    if (event.kind === 'end') {
      if (key === undefined) return this.endOfObject(event);
      // A list of lists is none.
      if (name === 'messages' && index === undefined) this.endOfMessages(event);
      return undefined;
    }
    if (key === undefined) return 'it is no object';
    if (index === undefined) this.entity.fields[name] = event.value;
    else return this.takeListed(name, event.value);
    return undefined;
  }

  private takeListed(list: string, value: unknown): string | undefined {
    const object = asObject(value);
    if (object === undefined) return `an entry of ${list} is no object`;
    if (list === 'users') this.addUser(object);
    else if (list === 'members') {
      this.entity.members.push(object);
      this.addUser(object['user']);
    } else if (list === 'messages' && !isUnseen(object)) {
      this.noteMessage(object);
      const us = microsecondsOf(object['created_at']) ?? -Infinity;
      if (us < this.entity.lastUs) this.entity.isSorted = false;
      else this.entity.lastUs = us;
    }
    return undefined;
  }

  private noteMessage(message: Unknown): void {
    const parent = asText(message['parent_id']);
    if (parent !== undefined) this.parents.add(parent);
    this.noteSender(message);
  }

  private noteSender(message: Unknown): void {
    // An object says more than an id; a message's says the same as the one before.
    const id = userIdOf(message['user']) ?? asText(message['user_id']);
    if (id !== undefined && !this.profiles.has(id)) this.addUser(message['user'] ?? id);
  }

  private endOfMessages({ start, end, line }: JsonEvent): void {
    this.entity.lists.push({ isList: true, start, end, line });
    this.entity.hasList = true;
  }

  /** An object of the file has ended: a channel with its lists, an item, or what only holds others. */
  private endOfObject(event: JsonEvent): string | undefined {
    const { entity } = this;
    this.entity = newEntity();
    const channel = asObject(entity.fields['channel']);
    const hasLists = entity.hasList || entity.members.length > 0;
    if (channel !== undefined && (hasLists || asText(entity.fields['type']) === undefined))
      return this.addChannelOf(entity, channel, event);
    if (hasLists) return 'a list of messages or members has no channel beside it';
    const item = itemOf(entity.fields);
    if (item === undefined)
      return Object.keys(entity.fields).length === 0 ? undefined : 'the object is of no known kind';
    return this.addItem(item.kind, item.fields, event);
  }

  private addChannelOf(entity: Entity, channel: Unknown, { line }: JsonEvent): string | undefined {
    const key = channelKeyOf(channel, 'id');
    if (key === undefined) return 'a channel has neither cid nor id';
    const entry = this.entryOf(key, line);
    const fault = this.describe(entry, channel, line);
    for (const member of entity.members) this.addMember(entry, member);
    for (const segment of entity.lists) this.addSegment(entry, segment);
    this.running = undefined;
    if (!entity.hasList) return fault;
    // Beside a list, single messages of a channel may be of any time.
    if (!entity.isSorted || entry.lastUs > -Infinity) entry.isSorted = false;
    entry.lastUs = Math.max(entry.lastUs, entity.lastUs);
    return fault;
  }

  private addItem(kind: string, fields: Unknown, event: JsonEvent): string | undefined {
    if (kind === 'user') {
      if (userIdOf(fields) === undefined) return 'a user has no id';
      this.addUser(fields);
      return undefined;
    }
    if (kind === 'channel') {
      const key = channelKeyOf(fields, 'id');
      return key === undefined
        ? 'a channel has neither cid nor id'
        : this.describe(this.entryOf(key, event.line), fields, event.line);
    }
    if (PASSED_OVER.has(kind)) return undefined;
    if (kind !== 'message' && kind !== 'member') return `items of the type ${kind.slice(0, 40)} are not known`;
    const key = keyOfItem(fields);
    if (key === undefined) return `a ${kind} does not say its channel`;
    const entry = this.entryOf(key, event.line);
    if (kind === 'member') this.addMember(entry, fields);
    else this.addMessageItem(entry, fields, event);
    return undefined;
  }

  private addMessageItem(entry: ChannelEntry, message: Unknown, { start, end, line }: JsonEvent): void {
    const last = entry.segments.at(-1);
    if (this.running === entry && last !== undefined) last.end = end;
    else this.addSegment(entry, { isList: false, start, end, line });
    this.running = entry;
    if (isUnseen(message)) return;
    this.noteMessage(message);
    const us = microsecondsOf(message['created_at']) ?? -Infinity;
    if (us < entry.lastUs) entry.isSorted = false;
    else entry.lastUs = us;
  }

  private addSegment(entry: ChannelEntry, segment: Segment): void {
    entry.segments.push(segment);
    if (++this.segments > MAX_SEGMENTS)
      throw new FileFault('messages of different channels are mixed: sort them by channel');
  }

  private addMember(entry: ChannelEntry, fields: Unknown): void {
    const member = streamMember(fields);
    if (member === undefined) return;
    entry.members.set(member.userId, member);
    if (!this.profiles.has(member.userId)) this.addUser(member.userId);
  }

  private entryOf(key: string, line: number): ChannelEntry {
    let entry = this.channels.get(key);
    if (entry === undefined) {
      const place = { file: '', line };
      entry = { key, channel: undefined, place, members: new Map(), segments: [], isSorted: true, lastUs: -Infinity };
      this.channels.set(key, entry);
    }
    return entry;
  }

  private describe(entry: ChannelEntry, channel: Unknown, line: number): string | undefined {
    if (entry.channel !== undefined) return `channel ${entry.key.slice(0, 100)} stands in the file twice`;
    // Its settings and members' list are large, and nobody asks for them any more.
    const { config: _config, members, member_ids: ids, ...rest } = channel;
    entry.channel = rest;
    entry.place = { file: '', line };
    if (asObject(channel['created_by']) !== undefined) this.noteSender({ user: channel['created_by'] });
    for (const each of [members, ids])
      if (Array.isArray(each))
        for (const member of each as unknown[]) {
          const fields = asObject(member) ?? { user_id: member };
          this.addUser(fields['user'] ?? fields['user_id']);
          this.addMember(entry, fields);
        }
    return undefined;
  }
}

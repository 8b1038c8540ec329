/**
 * The export of an application of Stream Chat: JSON, or JSON lines (its version v2), and also a file as its own import takes
 * it. The objects of the file are channels with all of their own, `{"channel": {…}, "messages": […], "members": […]}`, alone,
 * in a list, as `{"channels": […]}`, or one a line; or items, `{"type": "message", "item": {…}}` (or `data`), in a list or one
 * a line. What Stream packs with gzip is unpacked first.
 *
 * | Stream                                   | here                                                                   |
 * | ---------------------------------------- | ---------------------------------------------------------------------- |
 * | channel of two members, named by them    | `dm`                                                                   |
 * | channel of the type livestream           | `channel`: everybody of the tenant may read it                         |
 * | all other channels                       | `group`; frozen, disabled: only admins post                            |
 * | deleted channel                          | not there                                                              |
 * | user, also one that is only spoken of    | user; profile: name, the rest in `stream`                              |
 * | member; owner, moderator, creator        | member; admin. An invitation that was not accepted is none             |
 * | message                                  | message of the same author and time; its id stands in its meta         |
 * | reply, quote                             | message with `meta.stream.parent_id`, and `meta.reply_to_seq`          |
 * | deleted message                          | a deleted message                                                      |
 * | ephemeral message                        | not there: only its sender saw it                                      |
 * | own fields of the application            | in `profile.stream`, `metadata.stream`, `meta.stream`                  |
 * | attachments, reactions                   | in `meta.stream`; files stay where they are                            |
 * | what was read, devices, reactions alone  | not there: an import puts everybody at the end                         |
 *
 * The file is read three times: for where things are, for how many messages a room has, and for the lines. Memory: users,
 * channels and memberships; of messages only one, and where they do not stand by time, 32 bytes for each of one channel.
 */
import type { RandomAccess } from '../imports/import-file';
import type { Time } from '../format';
import {
  type AdaptedFault,
  type AdaptedItem,
  type AdapterOptions,
  asObject,
  adaptedFault,
  isTime,
  timeText,
  type Unknown,
} from './adapter';
import { type Choice, jsonEvents, parseForeign, type Path } from './json-scanner';
import {
  type ForeignMessage,
  type ForeignRoom,
  MessageCount,
  messageLines,
  roomIdOf,
  roomLines,
  userLine,
} from './room-lines';
import { type ChannelEntry, itemOf, keyOfItem, MAX_VALUE_BYTES, type Segment, StreamIndex } from './stream-index';
import { isPair, isUnseen, microsecondsOf, streamMessage, streamRoom } from './stream-objects';

/** All lines of an export, in the order of an import; every fault once. */
export async function* streamLines(
  file: RandomAccess,
  options: AdapterOptions,
): AsyncGenerator<AdaptedItem, void, undefined> {
  try {
    yield* new StreamExport(file, options.signal).lines();
  } catch (error) {
    yield adaptedFault(error);
  }
}

interface Conversation {
  readonly room: ForeignRoom;
  readonly entry: ChannelEntry;
  readonly tally: MessageCount;
}

/** Where a message stands. */
interface Located {
  /** In a list of messages; else it is an item. */
  readonly isList: boolean;
  readonly start: number;
  readonly end: number;
  readonly line: number;
}

class StreamExport {
  private readonly index = new StreamIndex();
  private readonly firstSeen = new Map<string, Time>();
  private readonly pairs = new Set<string>();

  constructor(
    private readonly file: RandomAccess,
    private readonly signal: AbortSignal | undefined,
  ) {}

  async *lines(): AsyncGenerator<AdaptedItem, void, undefined> {
    yield* this.index.read(this.file, this.signal);
    const conversations: Conversation[] = [];
    for (const entry of this.index.channels.values()) {
      const { channel } = entry;
      if (channel === undefined || channel['deleted_at']) continue;
      const tally = new MessageCount();
      const room = this.roomOf(entry, channel);
      conversations.push({ room, entry, tally });
      for await (const item of messageLines(room, this.messagesOf(entry)))
        if ('fault' in item) yield item;
        else tally.add(item, this.firstSeen);
    }
    yield* this.userLines();
    for (const { room, entry, tally } of conversations.sort((a, b) => (roomIdOf(a.room) < roomIdOf(b.room) ? -1 : 1)))
      for await (const item of roomLines(room, tally, this.messagesOf(entry))) if (!('fault' in item)) yield item;
  }

  private roomOf(entry: ChannelEntry, channel: Unknown): ForeignRoom {
    const members = [...entry.members.values()];
    const pair = members
      .map(({ userId }) => userId)
      .sort()
      .join(' ');
    const isDm = isPair(entry.key, members) && !this.pairs.has(pair);
    if (isDm) this.pairs.add(pair);
    return streamRoom(channel, { key: entry.key, place: entry.place, members, isDm });
  }

  private *userLines(): Generator<AdaptedItem> {
    const { profiles, madeAt } = this.index;
    for (const id of [...profiles.keys()].sort()) {
      const made = madeAt.get(id);
      const createdAt = made === undefined || !isTime(made) ? this.firstSeen.get(id) : timeText(Math.floor(made));
      yield { file: '', line: 0, bytes: 0, value: userLine(id, profiles.get(id) ?? {}, createdAt) };
    }
  }

  /** The messages of a channel, by time. */
  private async *messagesOf(entry: ChannelEntry): AsyncGenerator<ForeignMessage | AdaptedFault, void, undefined> {
    if (entry.isSorted) {
      for await (const { message, ...where } of this.valuesOf(entry)) yield this.messageOf(message, where);
      return;
    }
    const located: (Located & { readonly us: number })[] = [];
    for await (const { message, isList, start, end, line } of this.valuesOf(entry))
      located.push({ us: microsecondsOf(message['created_at']) ?? -Infinity, isList, start, end, line });
    located.sort((a, b) => (a.us === b.us ? a.start - b.start : a.us < b.us ? -1 : 1));
    for (const where of located) {
      this.signal?.throwIfAborted();
      const bytes = await this.file.read(where.start, where.end - where.start);
      const value = parseForeign(bytes, { file: '', line: where.line });
      yield this.messageOf((where.isList ? asObject(value) : messageIn(value)) ?? {}, where);
    }
  }

  private messageOf(message: Unknown, { line, start, end }: Located): ForeignMessage | AdaptedFault {
    const place = { file: '', line };
    const found = streamMessage(message, this.index.parents, place, end - start);
    return typeof found === 'string' ? { ...place, fault: found } : found;
  }

  /** The messages of a channel as they stand in the file. */
  private async *valuesOf(
    entry: ChannelEntry,
  ): AsyncGenerator<Located & { readonly message: Unknown }, void, undefined> {
    for (const { isList, ...segment } of entry.segments)
      for await (const { kind, path, value, start, end, line } of this.eventsOf({ isList, ...segment })) {
        this.signal?.throwIfAborted();
        if (kind === 'end' || path.length !== (isList ? 2 : 1)) continue;
        const message = isList ? asObject(value) : messageIn(value);
        if (message === undefined || isUnseen(message)) continue;
        if (!isList && keyOfItem(message) !== entry.key) continue;
        yield { message, isList, start, end, line };
      }
  }

  private eventsOf({ isList, start, end, line }: Segment): ReturnType<typeof jsonEvents> {
    const choose = (path: Path): Choice => (isList && path.length === 1 ? 'enter' : 'take');
    return jsonEvents(this.file.stream(start, end), { file: '', choose, maxBytes: MAX_VALUE_BYTES, start, line });
  }
}

/** The message of an item; undefined where it is another one, or none. */
function messageIn(value: unknown): Unknown | undefined {
  const item = itemOf(asObject(value) ?? {});
  return item?.kind === 'message' ? item.fields : undefined;
}

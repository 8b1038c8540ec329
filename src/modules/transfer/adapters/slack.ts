/**
 * The export of a Slack workspace: a zip of `users.json`, the lists of its conversations (`channels.json`, `groups.json`,
 * `mpims.json`, `dms.json`), and a folder per conversation with one file of messages a day, `general/2024-01-31.json`.
 *
 * | Slack                                   | here                                                                       |
 * | --------------------------------------- | -------------------------------------------------------------------------- |
 * | public channel                          | `channel`; archived: only admins post                                      |
 * | private channel, conversation of many   | `group`; archived: only admins post                                        |
 * | direct messages of two                  | `dm`; of one with themselves: `group`                                      |
 * | user, bot, webhook                      | user, also those who only wrote (guests of other workspaces, left, bots)   |
 * | message                                 | message of the same author and time; `ts` is its id and stands in its meta |
 * | message in a thread                     | message with `meta.slack.thread_ts`, and `meta.reply_to_seq`               |
 * | edited                                  | its last text, with `edited_at`                                            |
 * | deleted, but answered by others         | a deleted message                                                          |
 * | deleted, and logs of edits              | not there: what the export has of it says that it is gone                  |
 * | joined, left, topic, name …             | message of the role `system`, by whoever did it                            |
 * | mention, link                           | text with names; ids of users in `meta.mentions`                           |
 * | files, attachments, reactions           | named in `meta.slack`; the files themselves stay at Slack                  |
 *
 * The archive is read twice: the first time counts messages and finds who wrote them, since users and the room come before
 * its messages. Memory: users, conversations and names of files, and two days of one conversation.
 */
import type { RandomAccess } from '../imports/import-file';
import type { JsonObject, Time } from '../format';
import {
  type AdaptedFault,
  type AdaptedItem,
  type AdapterOptions,
  asList,
  asObject,
  asText,
  bounded,
  adaptedFault,
  FileFault,
  filled,
  type Place,
  type Unknown,
} from './adapter';
import { arrayItems } from './json-scanner';
import {
  type ForeignMessage,
  type ForeignRoom,
  MessageCount,
  messageLines,
  roomIdOf,
  roomLines,
  userLine,
} from './room-lines';
import { isLogEntry, microseconds, senderOf, slackMessage } from './slack-message';
import { ZipArchive } from './zip';

const MB = 1024 * 1024;
/** Of a day's file, unpacked: it is held, parsed. */
const MAX_DAY_BYTES = 64 * MB;
const MAX_MESSAGE_BYTES = MB;
/** Of a conversation in its list: it names all its members. */
const MAX_LISTED_BYTES = 16 * MB;
const MAX_PROFILE_BYTES = 8 * 1024;

const DAY = /^([^/]+)\/(\d{4}-\d{2}-\d{2})\.json$/;
/** Comments on canvases: conversations that no list names. */
const CANVAS = /^FC:/;

/** The lists of conversations, and what they are here. */
const LISTS = [
  { list: 'channels.json', type: 'channel' },
  { list: 'groups.json', type: 'group' },
  { list: 'mpims.json', type: 'group' },
  { list: 'dms.json', type: 'dm' },
] as const;

interface Conversation {
  readonly room: ForeignRoom;
  /** Files of its messages, by day. */
  readonly days: readonly string[];
}

/** All lines of an export, in the order of an import; every fault once. */
export async function* slackLines(
  file: RandomAccess,
  options: AdapterOptions,
): AsyncGenerator<AdaptedItem, void, undefined> {
  try {
    const archive = await ZipArchive.open(file, options.maxBytes);
    yield* new SlackExport(archive, options.signal).lines();
  } catch (error) {
    yield adaptedFault(error);
  }
}

class SlackExport {
  /** What stands before all names: somebody may have packed the folder, not what is in it. */
  private readonly prefix: string;
  private readonly profiles = new Map<string, JsonObject>();
  /** Of listed users only: what a text becomes must not depend on how many messages have been read. */
  private readonly names = new Map<string, string>();
  private readonly channelNames = new Map<string, string>();
  private readonly firstSeen = new Map<string, Time>();
  private readonly foldersLeft: Map<string, string[]>;
  private readonly pairs = new Set<string>();
  private readonly roomIds = new Set<string>();

  constructor(
    private readonly archive: ZipArchive,
    private readonly signal: AbortSignal | undefined,
  ) {
    this.prefix = prefixOf(archive);
    this.foldersLeft = foldersOf(archive, this.prefix);
  }

  async *lines(): AsyncGenerator<AdaptedItem, void, undefined> {
    yield* this.readUsers();
    const conversations: Conversation[] = [];
    for (const { list, type } of LISTS) yield* this.readList(list, type, conversations);
    for (const [folder, [file = '']] of this.foldersLeft)
      if (!CANVAS.test(folder)) yield { file, line: 0, fault: `no list of conversations has "${folder}"` };
    const tallies = new Map<Conversation, MessageCount>();
    for (const each of conversations) {
      const tally = new MessageCount();
      tallies.set(each, tally);
      for await (const item of messageLines(each.room, this.messagesOf(each)))
        if ('fault' in item) yield item;
        else tally.add(item, this.firstSeen);
    }
    yield* this.userLines();
    for (const each of conversations.sort((a, b) => (roomIdOf(a.room) < roomIdOf(b.room) ? -1 : 1)))
      for await (const item of roomLines(each.room, tallies.get(each) ?? new MessageCount(), this.messagesOf(each)))
        if (!('fault' in item)) yield item;
  }

  private *userLines(): Generator<AdaptedItem> {
    const place = { file: `${this.prefix}users.json`, line: 0 };
    for (const id of [...this.profiles.keys()].sort())
      yield { ...place, bytes: 0, value: userLine(id, this.profiles.get(id) ?? {}, this.firstSeen.get(id)) };
  }

  private async *readUsers(): AsyncGenerator<AdaptedItem, void, undefined> {
    // An organisation of several workspaces has one list of users.
    for (const list of ['users.json', 'org_users.json'])
      yield* this.each(list, (user, place) => {
        const id = asText(user['id']);
        if (id === undefined) return { ...place, fault: 'a user has no id' };
        const profile = asObject(user['profile']) ?? {};
        const username = asText(user['name']);
        const realName = asText(profile['real_name']) ?? asText(user['real_name']);
        const name = asText(profile['display_name']) ?? realName ?? username;
        if (name !== undefined) this.names.set(id, name);
        this.addUser(id, name, {
          username,
          real_name: realName,
          email: asText(profile['email']),
          title: asText(profile['title']),
          image: asText(profile['image_192']),
          bot: user['is_bot'] === true ? true : undefined,
          deleted: user['deleted'] === true ? true : undefined,
        });
        return undefined;
      });
  }

  private addUser(id: string, name: string | undefined, known: Parameters<typeof filled>[0]): void {
    const slack = filled(known) ?? {};
    const profile = { ...(name === undefined ? {} : { name }), slack };
    this.profiles.set(id, bounded(profile, 'slack', MAX_PROFILE_BYTES));
  }

  private async *readList(
    list: string,
    type: ForeignRoom['type'],
    found: Conversation[],
  ): AsyncGenerator<AdaptedItem, void, undefined> {
    yield* this.each(list, (listed, place) => {
      const id = asText(listed['id']);
      if (id === undefined) return { ...place, fault: 'a conversation has no id' };
      if (this.roomIds.has(id)) return { ...place, fault: `conversation ${id} is listed twice` };
      this.roomIds.add(id);
      const name = asText(listed['name']);
      if (name !== undefined) this.channelNames.set(id, name);
      const days = [name, id].flatMap((folder) => this.takeFolder(folder));
      found.push({ room: this.roomOf(listed, type, id, place), days });
      return undefined;
    });
  }

  private takeFolder(folder: string | undefined): readonly string[] {
    if (folder === undefined) return [];
    const files = this.foldersLeft.get(folder) ?? [];
    this.foldersLeft.delete(folder);
    return files;
  }

  private roomOf(listed: Unknown, listedAs: ForeignRoom['type'], id: string, place: Place): ForeignRoom {
    const members = [...new Set(asList(listed['members']).map(asText))].filter((member) => member !== undefined);
    const creator = asText(listed['creator']);
    const created = listed['created'];
    for (const member of members) if (!this.profiles.has(member)) this.addUser(member, undefined, {});
    const isArchived = listed['is_archived'] === true;
    return {
      source: 'slack',
      place,
      id,
      type: listedAs === 'dm' && !this.isNewPair(members) ? 'group' : listedAs,
      name: asText(listed['name']),
      metadata: {
        slack:
          filled({
            id,
            topic: asText(asObject(listed['topic'])?.['value']),
            purpose: asText(asObject(listed['purpose'])?.['value']),
            archived: isArchived ? true : undefined,
          }) ?? {},
      },
      isReadOnly: isArchived,
      members: members.map((userId) => ({ userId, isAdmin: userId === creator, joinedMs: undefined })),
      createdMs: typeof created === 'number' && created > 0 ? Math.floor(created * 1000) : undefined,
    };
  }

  /** Whether they are two, and have no other dm: there is one for two people. */
  private isNewPair(members: readonly string[]): boolean {
    const pair = [...members].sort().join(' ');
    if (members.length !== 2 || this.pairs.has(pair)) return false;
    this.pairs.add(pair);
    return true;
  }

  /** Does something with each object of a list that may not be there; what it returns is a fault. */
  private async *each(
    list: string,
    use: (object: Unknown, place: Place) => AdaptedFault | undefined,
  ): AsyncGenerator<AdaptedFault, void, undefined> {
    const file = this.prefix + list;
    if (!this.archive.has(file)) return;
    try {
      for await (const { value, line } of arrayItems(this.archive.stream(file), file, MAX_LISTED_BYTES)) {
        this.signal?.throwIfAborted();
        const object = asObject(value);
        const fault = object === undefined ? { file, line, fault: 'it is no object' } : use(object, { file, line });
        if (fault !== undefined) yield fault;
      }
    } catch (error) {
      yield adaptedFault(error);
    }
  }

  /**
   * The messages of a conversation by time. Days are those of somebody's time zone, so a message may stand in the file next
   * to its own: a day is given out when the next one has been read.
   */
  private async *messagesOf({ days }: Conversation): AsyncGenerator<ForeignMessage | AdaptedFault, void, undefined> {
    let held: Ordered[] = [];
    for (const file of days) {
      const day: Ordered[] = [];
      for await (const item of this.dayOf(file)) {
        if ('fault' in item) yield item;
        else day.push({ message: item, us: microseconds(item.id) ?? 0 });
      }
      const last = held.at(-1)?.us ?? -Infinity;
      const both = merged(held, day);
      for (const { message, us } of both) if (us <= last) yield message;
      held = both.filter(({ us }) => us > last);
    }
    for (const { message } of held) yield message;
  }

  private async *dayOf(file: string): AsyncGenerator<ForeignMessage | AdaptedFault, void, undefined> {
    try {
      if (this.archive.sizeOf(file) > MAX_DAY_BYTES) throw new FileFault(TOO_LONG_A_DAY, { file, line: 0 });
      for await (const { value, line, start, end } of arrayItems(this.archive.stream(file), file, MAX_MESSAGE_BYTES)) {
        this.signal?.throwIfAborted();
        const entry = asObject(value);
        if (entry !== undefined && isLogEntry(entry)) continue;
        const place = { file, line };
        const message = entry === undefined ? 'it is no object' : this.messageOf(entry, place, end - start);
        yield typeof message === 'string' ? { ...place, fault: message } : message;
      }
    } catch (error) {
      yield adaptedFault(error);
    }
  }

  private messageOf(entry: Unknown, place: Place, bytes: number): ForeignMessage | string {
    const sender = senderOf(entry);
    if (sender !== undefined && !this.profiles.has(sender.id))
      this.addUser(sender.id, sender.name, { bot: sender.isBot ? true : undefined });
    const names = { user: (id: string) => this.names.get(id), channel: (id: string) => this.channelNames.get(id) };
    return slackMessage(entry, names, place, bytes);
  }
}

const TOO_LONG_A_DAY = `a day of messages is larger than ${MAX_DAY_BYTES} bytes`;

interface Ordered {
  readonly message: ForeignMessage;
  /** Microseconds since 1970. */
  readonly us: number;
}

/** By time; what stands twice (a message that two files have) stands once. */
function merged(a: readonly Ordered[], b: readonly Ordered[]): Ordered[] {
  const all = [...a, ...b].sort((x, y) => x.us - y.us);
  return all.filter(({ message }, i) => {
    const before = all[i - 1]?.message;
    return before?.id !== message.id || before.sender !== message.sender || before.content !== message.content;
  });
}

function prefixOf(archive: ZipArchive): string {
  let found: string | undefined;
  for (const name of archive.names()) {
    if (!/(^|\/)(channels|users|org_users)\.json$/.test(name)) continue;
    const prefix = name.slice(0, name.lastIndexOf('/') + 1);
    if (found === undefined || prefix.length < found.length) found = prefix;
  }
  if (found === undefined) throw new FileFault('it is no export of Slack: it has neither channels.json nor users.json');
  return found;
}

/** Names of the files of days, by folder, in order. */
function foldersOf(archive: ZipArchive, prefix: string): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (const name of archive.names()) {
    const folder = name.startsWith(prefix) ? DAY.exec(name.slice(prefix.length))?.[1] : undefined;
    if (folder === undefined) continue;
    const files = folders.get(folder);
    if (files === undefined) folders.set(folder, [name]);
    else files.push(name);
  }
  for (const files of folders.values()) files.sort();
  return folders;
}

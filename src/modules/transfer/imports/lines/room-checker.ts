import type {
  ChatFields,
  EventFields,
  MemberFields,
  MessageFields,
  RoomFields,
  RunFields,
  TenantFieldsOf,
} from '../../format';
import { codePoints } from '../../../../common/text';
import { MAX_CONTENT } from '../../../../common/limits';
import { dmKey } from '../../../rooms';
import { HashSet } from './hash-set';

/** Field → what is wrong with it. */
export type ValueFault = readonly [field: string, message: string];

/** What the whole file has beside the room. */
export interface FileFacts {
  readonly users: HashSet;
  readonly messages: HashSet;
  readonly runs: HashSet;
  readonly activeChats: HashSet;
}

/** Kinds of lines of a room, in their order. */
const PARTS = [
  'room',
  'member',
  'event',
  'message',
  'chat',
  'run',
] as const satisfies readonly (keyof TenantFieldsOf)[];
export type RoomPart = (typeof PARTS)[number];

export function isRoomPart(kind: string): kind is RoomPart {
  return (PARTS as readonly string[]).includes(kind);
}

const NOT_OF_ROOM: ValueFault = ['room_id', 'must be that of the room above it'];
const UNKNOWN_USER: ValueFault = ['user_id', 'is no user of the file'];

/**
 * Whether the lines of one room make one log: each seq from the first to the last once, each rev once, times that never fall.
 * Retention finds where to cut by halving, and clients catch up by seq and rev: a log that is not so must not get in.
 */
export class RoomChecker {
  private rank = 0;
  private readonly members = new HashSet();
  private readonly memberNumbers = new HashSet();
  private readonly revs = new HashSet();
  private readonly clientIds = new HashSet();
  private readonly firstMembers: string[] = [];
  private nextSeq: number;
  private lastAt = '';
  private lastEventRev = 0;
  private hasChat = false;

  constructor(
    readonly room: RoomFields,
    private readonly file: FileFacts,
  ) {
    this.nextSeq = room.first_seq;
  }

  /** The line itself. */
  own(): ValueFault[] {
    const { first_seq, last_seq, first_rev, last_rev, type, unique_key } = this.room;
    const found: ValueFault[] = [];
    if (first_seq > last_seq + 1) found.push(['first_seq', 'must be at most last_seq + 1']);
    if (last_rev < last_seq) found.push(['last_rev', 'must be at least last_seq']);
    if (first_rev > last_rev) found.push(['first_rev', 'must be at most last_rev']);
    if (type !== 'dm' && unique_key !== null) found.push(['unique_key', 'must be null but for a dm']);
    return found;
  }

  part(kind: Exclude<RoomPart, 'room'>, fields: TenantFieldsOf[typeof kind]): ValueFault[] {
    const rank = PARTS.indexOf(kind);
    if ((fields as MemberFields).room_id !== this.room.room_id) return [NOT_OF_ROOM];
    if (rank < this.rank)
      return [['kind', `a ${kind} line may not follow a ${PARTS[this.rank] ?? ''} line of its room`]];
    this.rank = rank;
    if (kind === 'member') return this.member(fields as MemberFields);
    if (kind === 'event') return this.event(fields as EventFields);
    if (kind === 'message') return this.message(fields as MessageFields);
    return kind === 'chat' ? this.chat(fields as ChatFields) : this.run(fields as RunFields);
  }

  /** What can be said when the next room begins. */
  end(): ValueFault[] {
    const { type, last_seq, unique_key } = this.room;
    const found: ValueFault[] = [];
    if (this.nextSeq <= last_seq)
      found.push(['last_seq', `names messages that are missing, from seq ${this.nextSeq} on`]);
    if (type === 'ai' && !this.hasChat) found.push(['type', 'ai needs a chat line']);
    if (type === 'dm') {
      const [a, b] = this.firstMembers;
      if (this.members.size !== 2 || a === undefined || b === undefined)
        found.push(['type', 'dm needs two member lines']);
      else if (unique_key !== null && unique_key !== dmKey(a, b))
        found.push(['unique_key', 'is not that of its members']);
    }
    return found;
  }

  private member({ user_id, member_no, joined_seq }: MemberFields): ValueFault[] {
    const found: ValueFault[] = [];
    if (!this.file.users.has(user_id)) found.push(UNKNOWN_USER);
    if (!this.members.add(user_id)) found.push(['user_id', 'is a member of the room already']);
    if (this.firstMembers.length < 2) this.firstMembers.push(user_id);
    if (member_no > this.room.members_added) found.push(['member_no', 'must be at most members_added of the room']);
    if (member_no > 0 && !this.memberNumbers.add(String(member_no))) found.push(['member_no', 'is there twice']);
    if (joined_seq > this.room.last_seq) found.push(['joined_seq', 'must be at most last_seq of the room']);
    return found;
  }

  private event({ rev, type, payload }: EventFields): ValueFault[] {
    const found = this.rev(rev);
    if (rev <= this.room.first_rev) found.push(['rev', 'must be more than first_rev of the room']);
    if (rev < this.lastEventRev) found.push(['rev', 'must rise from event to event']);
    this.lastEventRev = rev;
    if (type.startsWith('member.') && typeof payload['user_id'] !== 'string')
      found.push(['payload.user_id', 'must be a user id']);
    return found;
  }

  private message(fields: MessageFields): ValueFault[] {
    const { seq, message_id, sender_id, role, content, meta, client_message_id, reply_to_seq } = fields;
    const found = this.rev(fields.rev);
    if (seq !== this.nextSeq) found.push(['seq', `must be ${this.nextSeq}: one after the other, without a gap`]);
    this.nextSeq = seq + 1;
    if (seq > this.room.last_seq) found.push(['seq', 'must be at most last_seq of the room']);
    if (!this.file.messages.add(message_id)) found.push(['message_id', 'is there twice']);
    if (client_message_id !== null && !this.clientIds.add(`${sender_id} ${client_message_id}`))
      found.push(['client_message_id', 'is there twice of this sender']);
    if (reply_to_seq !== null && reply_to_seq >= seq) found.push(['reply_to_seq', 'must be less than seq']);
    if (fields.created_at < this.lastAt) found.push(['created_at', 'must not be before that of the message above it']);
    this.lastAt = fields.created_at;
    if (fields.deleted_at !== null && (content !== '' || meta !== null))
      found.push(['deleted_at', 'must be null while there is content or meta']);
    if (role !== 'assistant' && content.length > MAX_CONTENT && codePoints(content) > MAX_CONTENT)
      found.push(['content', `must be at most ${MAX_CONTENT} characters`]);
    return found;
  }

  private chat({ user_id, group_id, preset, is_active, cleared_seq }: ChatFields): ValueFault[] {
    const found: ValueFault[] = [];
    if (this.room.type !== 'ai') found.push(['kind', 'a chat line needs a room of type ai']);
    if (this.hasChat) found.push(['kind', 'a room has one chat line']);
    this.hasChat = true;
    if (!this.members.has(user_id)) found.push(['user_id', 'is no member of the room']);
    if (cleared_seq > this.room.last_seq) found.push(['cleared_seq', 'must be at most last_seq of the room']);
    if (is_active && !this.file.activeChats.add(JSON.stringify([user_id, group_id ?? '', preset])))
      found.push(['is_active', 'is true of another chat of this user, group and preset']);
    return found;
  }

  private run({ run_id, reply_to_seq, answer_seq }: RunFields): ValueFault[] {
    const found: ValueFault[] = [];
    if (!this.hasChat) found.push(['kind', 'a run line needs a chat line before it']);
    if (!this.file.runs.add(run_id)) found.push(['run_id', 'is there twice']);
    if (reply_to_seq > this.room.last_seq) found.push(['reply_to_seq', 'must be at most last_seq of the room']);
    if (answer_seq !== null && answer_seq > this.room.last_seq)
      found.push(['answer_seq', 'must be at most last_seq of the room']);
    return found;
  }

  private rev(rev: number): ValueFault[] {
    const found: ValueFault[] = [];
    if (rev > this.room.last_rev) found.push(['rev', 'must be at most last_rev of the room']);
    if (!this.revs.add(String(rev))) found.push(['rev', 'is there twice in its room']);
    return found;
  }
}

import fc from 'fast-check';

/** A message of a generated workspace, as Slack's export has it and as it is to come out. */
export interface SlackMessage {
  readonly entry: Record<string, unknown>;
  readonly ts: string;
  readonly us: number;
  readonly sender: string;
  readonly content: string;
  readonly role: 'user' | 'system';
  readonly isDeleted: boolean;
  readonly editedAt: string | null;
  /** ts of the message that it answers. */
  readonly parent: string | undefined;
  /** Its file is that of the next day: whoever exported lives further east. */
  readonly isLate: boolean;
}

export interface SlackConversation {
  readonly id: string;
  readonly name: string;
  readonly list: 'channels.json' | 'groups.json' | 'mpims.json' | 'dms.json';
  readonly members: readonly string[];
  readonly messages: readonly SlackMessage[];
  readonly createdSeconds: number;
}

export interface SlackWorkspace {
  readonly users: readonly string[];
  readonly conversations: readonly SlackConversation[];
}

const PEOPLE = ['U0ALICE', 'U0BOB', 'U0CAROL', 'U0DAVE'];
/** People that wrote and that no list names, and bots. */
const STRANGERS = ['U9GUEST', 'B0HOOK', 'B0DEPLOY'];
const NAMES: Readonly<Record<string, string>> = { U0ALICE: 'Alice', U0BOB: 'bob', U0CAROL: 'Carol 🦊', U0DAVE: 'Dave' };

/** Markup and the text that it is. */
const PHRASES: readonly (readonly [string, string])[] = [
  ['hello', 'hello'],
  ['<@U0ALICE>', '@Alice'],
  ['<@U0BOB|bobby>', '@bob'],
  ['<@U7NOBODY>', '@U7NOBODY'],
  ['1 &lt; 2 &amp;&amp; 3 &gt; 2', '1 < 2 && 3 > 2'],
  ['<https://example.org/a?b=c>', 'https://example.org/a?b=c'],
  ['<https://example.org|here>', 'here (https://example.org)'],
  ['<!here>', '@here'],
  ['*bold* and\ntwo lines', '*bold* and\ntwo lines'],
  ['Grüße 🎉', 'Grüße 🎉'],
];

const FIRST_US = Date.parse('2024-02-27T21:00:00Z') * 1000;

const draft = fc.record({
  gapUs: fc.oneof(fc.constantFrom(1, 2, 999), fc.integer({ min: 1, max: 20 * 3600 * 1_000_000 })),
  author: fc.constantFrom(...PEOPLE, ...STRANGERS),
  phrases: fc.array(fc.constantFrom(...PHRASES), { minLength: 1, maxLength: 4 }),
  kind: fc.constantFrom(
    'plain',
    'plain',
    'plain',
    'edited',
    'me_message',
    'channel_join',
    'tombstone',
    'thread_broadcast',
  ),
  /** Which of those before it it answers, if any. */
  answers: fc.option(fc.nat(20), { nil: undefined, freq: 2 }),
  isLate: fc.boolean(),
});

type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;

function tsOf(us: number): string {
  return `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
}

function timesOf(drafts: readonly Draft[]): number[] {
  let us = FIRST_US;
  return drafts.map(({ gapUs }) => (us += gapUs));
}

function messagesOf(drafts: readonly Draft[]): SlackMessage[] {
  const times = timesOf(drafts);
  const answered = drafts.map(({ answers }, i) => (answers === undefined || i === 0 ? undefined : answers % i));
  /** The thread of an answer to an answer is that of its first message. */
  const rootOf = (i: number): number => {
    const next = answered[i];
    return next === undefined ? i : rootOf(next);
  };
  return drafts.map((each, i) => {
    const us = times[i] ?? 0;
    const ts = tsOf(us);
    const root = rootOf(i);
    const isRoot = root === i && answered.some((other, j) => other !== undefined && j !== i && rootOf(j) === i);
    const threadTs = root !== i || isRoot ? tsOf(times[root] ?? 0) : undefined;
    const { entry, ...rest } = spoken(each, ts, us);
    return {
      ...rest,
      ts,
      us,
      entry: { ...entry, ...(threadTs === undefined ? {} : { thread_ts: threadTs }) },
      parent: threadTs === ts ? undefined : threadTs,
      isLate: each.isLate,
    };
  });
}

function spoken(
  { author, phrases, kind }: Draft,
  ts: string,
  us: number,
): Pick<SlackMessage, 'entry' | 'sender' | 'content' | 'role' | 'isDeleted' | 'editedAt'> {
  const isDeleted = kind === 'tombstone';
  const isBot = author.startsWith('B');
  const who = isBot ? { bot_id: author, username: `the bot ${author}` } : { user: author };
  const subtype = kind === 'plain' || kind === 'edited' ? (isBot ? 'bot_message' : undefined) : kind;
  const editedUs = us + 90_000_000;
  return {
    entry: {
      type: 'message',
      ...(subtype === undefined ? {} : { subtype }),
      ...who,
      text: phrases.map(([markup]) => markup).join(' '),
      ts,
      ...(kind === 'edited' ? { edited: { user: author, ts: tsOf(editedUs) } } : {}),
    },
    sender: author,
    content: isDeleted ? '' : phrases.map(([, text]) => text).join(' '),
    role: kind === 'channel_join' ? 'system' : 'user',
    isDeleted,
    editedAt: kind === 'edited' ? new Date(Math.floor(editedUs / 1000)).toISOString() : null,
  };
}

const conversation = (list: SlackConversation['list'], i: number): fc.Arbitrary<SlackConversation> =>
  fc
    .record({
      drafts: fc.array(draft, { maxLength: 15 }),
      members: fc.uniqueArray(fc.constantFrom(...PEOPLE), { minLength: 2, maxLength: list === 'dms.json' ? 2 : 4 }),
    })
    .map(({ drafts, members }) => ({
      id: `${list === 'dms.json' ? 'D' : list === 'channels.json' ? 'C' : 'G'}0${i}`,
      name: `${list.replace('.json', '')}-${i}`,
      list,
      members,
      messages: messagesOf(drafts),
      createdSeconds: 1_600_000_000 + i,
    }));

/** Any workspace with every kind of conversation. */
export const slackWorkspace: fc.Arbitrary<SlackWorkspace> = fc
  .tuple(
    conversation('channels.json', 1),
    conversation('channels.json', 2),
    conversation('groups.json', 3),
    conversation('mpims.json', 4),
    conversation('dms.json', 5),
  )
  .map((conversations) => ({ users: PEOPLE, conversations }));

function dayOf(us: number, days: number): string {
  return new Date(us / 1000 + days * 86_400_000).toISOString().slice(0, 10);
}

/** The files of its export, by name. */
export function slackFiles({ users, conversations }: SlackWorkspace): Record<string, unknown> {
  const files: Record<string, unknown> = {
    'users.json': users.map((id) => ({
      id,
      name: id.toLowerCase(),
      deleted: id === 'U0DAVE',
      profile: { display_name: NAMES[id], email: `${id.toLowerCase()}@example.org` },
    })),
    'integration_logs.json': [],
  };
  for (const list of ['channels.json', 'groups.json', 'mpims.json', 'dms.json'] as const)
    files[list] = conversations
      .filter((each) => each.list === list)
      .map(({ id, name, members, createdSeconds }) => ({
        id,
        ...(list === 'dms.json' ? {} : { name, creator: members[1], is_archived: id === 'C02' }),
        created: createdSeconds,
        members,
        topic: { value: `topic of ${name}` },
      }));
  for (const { id, name, list, messages } of conversations)
    for (const { us, entry, isLate } of messages) {
      const file = `${list === 'dms.json' ? id : name}/${dayOf(us, isLate ? 1 : 0)}.json`;
      files[file] = [...((files[file] as object[] | undefined) ?? []), entry];
    }
  return files;
}

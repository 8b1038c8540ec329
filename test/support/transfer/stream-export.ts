import fc from 'fast-check';

/** A message of a generated application, as its export has it and as it is to come out. */
export interface StreamMessage {
  readonly id: string;
  readonly sender: string;
  readonly text: string;
  readonly us: number;
  readonly isDeleted: boolean;
  readonly isSystem: boolean;
  readonly editedAt: string | null;
  readonly parent: string | undefined;
}

export interface StreamChannel {
  readonly type: string;
  readonly id: string;
  readonly members: readonly string[];
  /** By time. */
  readonly messages: readonly StreamMessage[];
}

export interface StreamApplication {
  readonly channels: readonly StreamChannel[];
  readonly form: StreamForm;
  /** Where a message goes in its channel's list, out of its order. */
  readonly shuffle: readonly number[];
}

/** Ways in which an export may be written. */
export const STREAM_FORMS = [
  'list of channels',
  'channels in an object',
  'a channel a line',
  'list of items',
  'an item a line',
  'items of mixed channels',
  'an entity a line',
] as const;
export type StreamForm = (typeof STREAM_FORMS)[number];

const PEOPLE = ['alice', 'bob', 'carol', 'dave_2'];
const FIRST_US = Date.parse('2025-01-23T23:59:00Z') * 1000;

const draft = fc.record({
  gapUs: fc.oneof(fc.constantFrom(0, 1, 999, 1000), fc.integer({ min: 1, max: 3_600_000_000 })),
  sender: fc.constantFrom(...PEOPLE, 'guest-7'),
  text: fc.constantFrom('hi', 'two\nlines', '<b>&amp;</b>', 'Grüße 🎉', 'x'.repeat(300), '"quoted" \\ {[}]'),
  kind: fc.constantFrom('plain', 'plain', 'plain', 'deleted', 'system', 'edited'),
  answers: fc.option(fc.nat(20), { nil: undefined, freq: 2 }),
});

function channel(type: string, id: string, most: number): fc.Arbitrary<StreamChannel> {
  return fc
    .record({
      drafts: fc.array(draft, { maxLength: 12 }),
      members: fc.uniqueArray(fc.constantFrom(...PEOPLE), { minLength: 2, maxLength: most }),
    })
    .map(({ drafts, members }) => {
      let us = FIRST_US;
      const messages = drafts.map(({ gapUs, sender, text, kind, answers }, i): StreamMessage => {
        us += gapUs;
        const parent = answers === undefined || i === 0 ? undefined : `${type}-${id}-${answers % i}`;
        const editedAt = kind === 'edited' ? new Date(us / 1000 + 60_000).toISOString() : null;
        const isDeleted = kind === 'deleted';
        return { id: `${type}-${id}-${i}`, sender, text, us, isDeleted, isSystem: kind === 'system', editedAt, parent };
      });
      return { type, id, members, messages };
    });
}

/** Any application, in any form of an export. */
export const streamApplication: fc.Arbitrary<StreamApplication> = fc.record({
  channels: fc
    .tuple(
      channel('messaging', 'team-1', 4),
      channel('messaging', '!members-T587', 2),
      channel('livestream', 'show', 4),
      channel('team', 'x', 3),
    )
    .map((all) => [...all]),
  form: fc.constantFrom(...STREAM_FORMS),
  shuffle: fc.oneof(fc.constant([]), fc.array(fc.nat(20), { minLength: 1, maxLength: 6 })),
});

function timeOf(us: number): string {
  return `${new Date(Math.floor(us / 1000)).toISOString().slice(0, -1)}${String(us % 1000).padStart(3, '0')}Z`;
}

function userOf(id: string): Record<string, unknown> {
  return {
    id,
    name: id.toUpperCase(),
    role: 'user',
    created_at: '2024-09-18T09:39:02.302556Z',
    online: false,
    shoe: 43,
  };
}

function shuffled<T>(list: readonly T[], moves: readonly number[]): T[] {
  const copy = [...list];
  for (const [i, to] of moves.entries()) {
    const moved = copy.splice(i, 1);
    if (moved.length > 0) copy.splice(to % (copy.length + 1), 0, ...moved);
  }
  return copy;
}

function messageOf(message: StreamMessage, { type, id }: StreamChannel, asItem: boolean): Record<string, unknown> {
  const { sender, text, us, isDeleted, isSystem, editedAt, parent } = message;
  return {
    id: message.id,
    text,
    type: isDeleted ? 'deleted' : isSystem ? 'system' : parent === undefined ? 'regular' : 'reply',
    user: asItem ? sender : userOf(sender),
    ...(asItem ? { channel_type: type, channel_id: id } : { cid: `${type}:${id}` }),
    created_at: timeOf(us),
    updated_at: timeOf(us),
    ...(isDeleted ? { deleted_at: timeOf(us + 5_000_000) } : {}),
    ...(editedAt === null ? {} : { message_text_updated_at: editedAt }),
    ...(parent === undefined ? {} : { parent_id: parent }),
    mood: 'custom',
  };
}

function memberOf(user: string, { type, id }: StreamChannel, asItem: boolean): Record<string, unknown> {
  const role = { channel_role: 'channel_member', created_at: '2025-01-23T13:05:35.315676Z' };
  return asItem
    ? { user_id: user, channel_type: type, channel_id: id, ...role }
    : { user_id: user, user: userOf(user), role: 'member', status: 'member', ...role };
}

function channelOf({ type, id, members }: StreamChannel): Record<string, unknown> {
  const created = { created_by: userOf(members[0] ?? ''), created_at: '2025-01-23T13:05:35.310709Z' };
  return { cid: `${type}:${id}`, id, type, name: `${type} ${id}`, frozen: false, config: { name: type }, ...created };
}

/** The whole file of its export. */
export function streamFile({ channels, form, shuffle }: StreamApplication): string {
  const whole = channels.map((each) => ({
    channel: channelOf(each),
    messages: shuffled(each.messages, shuffle).map((message) => messageOf(message, each, false)),
    members: each.members.map((member) => memberOf(member, each, false)),
    reads: [],
  }));
  const lines = (list: readonly unknown[]): string => list.map((each) => `${JSON.stringify(each)}\n`).join('');
  if (form === 'list of channels') return JSON.stringify(whole, null, 1);
  if (form === 'channels in an object') return JSON.stringify({ duration: '1s', channels: whole });
  if (form === 'a channel a line') return lines(whole);
  const users = PEOPLE.map((id) => ({ type: 'user', item: userOf(id) }));
  const heads = channels.flatMap((each) => [
    { type: 'channel', item: { ...channelOf(each), created_by: each.members[0] } },
    ...each.members.map((member) => ({ type: 'member', item: memberOf(member, each, true) })),
  ]);
  const messages = channels.map((each) =>
    shuffled(each.messages, shuffle).map((message) => ({ type: 'message', item: messageOf(message, each, true) })),
  );
  const reaction = { type: 'reaction', item: { message_id: 'x', type: 'love', user_id: 'alice' } };
  const items = [...users, ...heads, ...messages.flat().flatMap((each) => [each, reaction])];
  if (form === 'list of items') return JSON.stringify(items, null, 2);
  if (form === 'an item a line') return lines(items);
  if (form === 'an entity a line')
    return lines(items.map(({ type, item }) => (type === 'reaction' ? { type, data: item } : { [type]: item })));
  const longest = Math.max(...messages.map(({ length }) => length));
  const mixed = Array.from({ length: longest }, (_, i) => messages.flatMap((list) => list[i] ?? [])).flat();
  return lines([...mixed, ...heads, ...users]);
}

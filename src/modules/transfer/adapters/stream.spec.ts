import fc from 'fast-check';
import { adapted, type Adapted, BytesFile, checkOrder, linesOf } from '../../../../test/support/transfer/foreign-files';
import { type StreamApplication, streamApplication, streamFile } from '../../../../test/support/transfer/stream-export';
import { MAX_META_BYTES } from '../../../common/limits';
import { jsonBytes } from '../../../common/text';
import { streamLines } from './stream';

const options = { maxBytes: 1024 ** 3 };

function read(text: string, pieceBytes?: number): Promise<Adapted> {
  return adapted(streamLines(new BytesFile(Buffer.from(text), pieceBytes), options));
}

const alice = { id: 'alice', name: 'Alice', created_at: '2024-01-01T00:00:00Z' };
const channel = { cid: 'messaging:general', id: 'general', type: 'messaging', created_by: alice };
const members = [{ user_id: 'alice', user: alice }];
const at = (seconds: number): string => new Date(Date.UTC(2025, 0, 1, 0, 0, seconds)).toISOString();

/** What comes out of a channel with these messages. */
async function messages(...list: object[]): Promise<ReturnType<typeof linesOf<'message'>>> {
  const { lines, faults } = await read(JSON.stringify({ channel, messages: list, members }));
  expect(faults).toEqual([]);
  checkOrder(lines);
  return linesOf(lines, 'message');
}

function check({ channels }: StreamApplication, { lines, faults }: Adapted): void {
  expect(faults).toEqual([]);
  checkOrder(lines);
  const rooms = linesOf(lines, 'room');
  expect(rooms).toHaveLength(channels.length);
  for (const { type, id, members: people, messages: sent } of channels) {
    const cid = `${type}:${id}`;
    const room = rooms.find(({ metadata }) => (metadata?.['stream'] as { cid?: string }).cid === cid);
    const found = linesOf(lines, 'member').filter(({ room_id }) => room_id === room?.room_id);
    expect(found.map(({ user_id }) => user_id)).toEqual([...people].sort());
    expect(room?.type).toBe(type === 'livestream' ? 'channel' : id.startsWith('!') ? 'dm' : 'group');
    const seqOf = new Map(sent.map((message, i) => [message.id, i + 1]));
    const came = linesOf(lines, 'message').filter(({ room_id }) => room_id === room?.room_id);
    // Of one microsecond any order is right: then the file's counts.
    expect(
      came.map((m) => [
        m.sender_id,
        m.content,
        m.role,
        m.created_at,
        m.edited_at,
        m.deleted_at,
        m.meta?.['reply_to_seq'],
      ]),
    ).toEqual(
      sent.map((m) => [
        m.sender,
        m.isDeleted ? '' : m.text,
        m.isSystem ? 'system' : 'user',
        new Date(Math.floor(m.us / 1000)).toISOString(),
        m.editedAt,
        m.isDeleted ? new Date(Math.floor(m.us / 1000) + 5000).toISOString() : null,
        m.isDeleted || m.parent === undefined ? undefined : seqOf.get(m.parent),
      ]),
    );
  }
}

describe('the export of an application of Stream Chat', () => {
  it('any history in any form comes out with its authors, times, texts and order', async () => {
    await fc.assert(
      fc.asyncProperty(streamApplication, fc.integer({ min: 5, max: 5000 }), async (application, cut) => {
        // Two messages of one microsecond have the order of the file; a shuffled file has none to compare with.
        const times = application.channels.map((each) => each.messages.map(({ us }) => us));
        fc.pre(application.shuffle.length === 0 || times.every((list) => new Set(list).size === list.length));
        check(application, await read(streamFile(application), cut));
      }),
      { numRuns: 150 },
    );
  });

  it('the same channel gets the same ids, in whatever form', async () => {
    const [application] = fc.sample(streamApplication, { numRuns: 1, seed: 7 });
    if (application === undefined) throw new Error('no application');
    const forms = ['list of channels', 'an item a line'] as const;
    const [a, b] = await Promise.all(forms.map((form) => read(streamFile({ ...application, form, shuffle: [] }))));
    const ids = (found: Adapted | undefined): unknown =>
      found?.lines.flatMap((line) =>
        line.kind === 'message' ? [line.room_id, line.message_id, line.client_message_id] : [],
      );
    expect(ids(b)).toEqual(ids(a));
  });

  it('users are told with what is known of them', async () => {
    const bob = { ...alice, id: 'bob', name: 'Bob', role: 'admin', teams: ['red'], image: 'https://x/b.png', shoe: 43 };
    const { lines } = await read(
      JSON.stringify({
        channels: [{ channel, messages: [{ id: 'm', user: { id: 'carol' }, text: 'x', created_at: at(1) }], members }],
        users: [bob, { ...alice, deactivated_at: at(0) }],
      }),
    );
    expect(linesOf(lines, 'user').map(({ user_id, profile, created_at }) => [user_id, profile, created_at])).toEqual([
      ['alice', { name: 'Alice', stream: { deactivated: true } }, '2024-01-01T00:00:00.000Z'],
      [
        'bob',
        { name: 'Bob', stream: { role: 'admin', image: 'https://x/b.png', teams: ['red'], shoe: 43 } },
        '2024-01-01T00:00:00.000Z',
      ],
      ['carol', { stream: {} }, at(1)],
    ]);
  });

  it('rooms keep what the application wrote, and who may do what', async () => {
    const people = [
      { user_id: 'carol', channel_role: 'channel_moderator', created_at: at(3) },
      { user_id: 'bob', role: 'member', created_at: at(2) },
      { user_id: 'alice', role: 'member', created_at: at(1) },
      { user_id: 'dave', invited: true, status: 'pending' },
    ];
    const frozen = {
      ...channel,
      name: 'General',
      frozen: true,
      team: 'red',
      color: { of: ['sky'] },
      created_at: at(0),
    };
    const { lines } = await read(JSON.stringify({ channel: frozen, messages: [], members: people }));
    const [room] = linesOf(lines, 'room');
    expect([room?.name, room?.posting, room?.metadata, room?.created_at]).toEqual([
      'General',
      'admins',
      { stream: { cid: 'messaging:general', team: 'red', frozen: true, color: { of: ['sky'] } } },
      at(0),
    ]);
    expect(linesOf(lines, 'member').map((m) => [m.user_id, m.role, m.member_no, m.joined_at])).toEqual([
      ['alice', 'admin', 1, at(1)],
      ['bob', 'member', 2, at(2)],
      ['carol', 'admin', 3, at(3)],
    ]);
  });

  it('messages keep what there is no place for, and forget what nobody saw', async () => {
    const base = { user: alice, type: 'regular' };
    const found = await messages(
      {
        ...base,
        id: 'm1',
        text: '',
        attachments: [{ type: 'image', title: 'a.png', image_url: 'https://x/a.png' }],
        created_at: at(1),
      },
      { ...base, id: 'm2', text: 'only for you', type: 'ephemeral', created_at: at(2) },
      {
        ...base,
        id: 'm3',
        text: 'see',
        quoted_message_id: 'm1',
        mentioned_users: [alice],
        mood: 'good',
        created_at: at(3),
        latest_reactions: [{ type: 'love', user_id: 'bob' }],
        reaction_counts: { love: 1 },
      },
      { ...base, id: 'm4', text: ' ', created_at: at(4) },
    );
    expect(found.map(({ content, meta }) => [content, meta])).toEqual([
      [
        'a.png',
        { stream: { id: 'm1', attachments: [{ type: 'image', title: 'a.png', image_url: 'https://x/a.png' }] } },
      ],
      [
        'see',
        {
          stream: {
            id: 'm3',
            quoted_message_id: 'm1',
            reactions: [{ type: 'love', user_id: 'bob' }],
            reaction_counts: { love: 1 },
            mood: 'good',
          },
          mentions: ['alice'],
        },
      ],
      ['(no text)', { stream: { id: 'm4' } }],
    ]);
  });

  it('what is too large for meta is cut, and named', async () => {
    const [message] = await messages({
      id: 'm',
      user: alice,
      text: 'x',
      huge: 'y'.repeat(20_000),
      mood: 'good',
      created_at: at(1),
    });
    expect(message?.meta).toEqual({ stream: { id: 'm', mood: 'good', cut: ['huge'] } });
    expect(jsonBytes(message?.meta)).toBeLessThanOrEqual(MAX_META_BYTES);
  });

  it('text that PostgreSQL does not take is mended, wherever it stands', async () => {
    const [message] = await messages({
      id: 'm',
      user: alice,
      text: 'a\u0000b\ud800',
      own: { 'k\u0000': ['\udc00'] },
      created_at: at(1),
    });
    expect([message?.content, message?.meta]).toEqual(['ab\ufffd', { stream: { id: 'm', own: { k: ['\ufffd'] } } }]);
  });

  it('a deleted channel is not there', async () => {
    const gone = {
      channel: { ...channel, deleted_at: at(1) },
      messages: [{ id: 'm', user: alice, text: 'x', created_at: at(1) }],
      members,
    };
    const { lines, faults } = await read(JSON.stringify([gone]));
    expect([linesOf(lines, 'room'), linesOf(lines, 'message'), faults]).toEqual([[], [], []]);
  });

  it('two channels of the same two people are one dm and one group', async () => {
    const pair = [{ user_id: 'alice' }, { user_id: 'bob' }];
    const other = (type: string): object => ({
      channel: { ...channel, cid: `${type}:!members-x`, type },
      messages: [],
      members: pair,
    });
    const { lines } = await read(JSON.stringify([other('messaging'), other('team')]));
    expect(
      linesOf(lines, 'room')
        .map(({ type, unique_key }) => [type, unique_key])
        .sort(),
    ).toEqual([
      ['dm', 'dm:alice:bob'],
      ['group', null],
    ]);
  });

  const good = { id: 'm', user: alice, text: 'x', created_at: at(1) };
  it.each<[string, string, string[]]>([
    ['nothing', '', ['0 it is no export of Stream Chat: it has neither channels nor users']],
    ['something else', '{"hello":"world"}', ['0 it is no export of Stream Chat: it has neither channels nor users']],
    ['no JSON', 'hello', ['1 it is not valid JSON, or holds a forbidden key such as __proto__']],
    [
      'a file that was cut off',
      JSON.stringify({ channel, messages: [good] }).slice(0, -9),
      ['1 the JSON ends in the middle'],
    ],
    ['no object', `${JSON.stringify({ channel, members })}\n7`, ['2 it is no object']],
    [
      'a channel twice',
      `${JSON.stringify({ channel, members })}\n`.repeat(2),
      ['2 channel messaging:general stands in the file twice'],
    ],
    [
      'a channel without a name',
      JSON.stringify({ channel: { created_by: alice }, messages: [], users: [alice] }),
      ['1 a channel has neither cid nor id'],
    ],
    [
      'messages of nowhere',
      JSON.stringify({ messages: [good] }),
      ['1 a list of messages or members has no channel beside it'],
    ],
    [
      'an unknown kind',
      `${JSON.stringify({ channel, members })}\n{"type":"party","item":{}}`,
      ['2 items of the type party are not known'],
    ],
    [
      'a message of an unknown channel',
      JSON.stringify({ type: 'message', item: { ...good, channel_type: 'a', channel_id: 'b' } }),
      ['1 channel a:b is spoken of, but is not in the file'],
    ],
    [
      'a message without a channel',
      `${JSON.stringify({ user: alice })}\n${JSON.stringify({ type: 'message', item: good })}`,
      ['2 a message does not say its channel'],
    ],
  ])('%s is told with its line, and nothing is thrown', async (_name, text, told) => {
    const { faults } = await read(text);
    expect(faults.map(({ line, fault }) => `${line} ${fault}`)).toEqual(told);
  });

  it.each<[object, string]>([
    [{ user: alice, text: 'x', created_at: at(1) }, 'a message has no id'],
    [{ id: 'm', text: 'x', created_at: at(1) }, 'message m has no user'],
    [{ id: 'm', user: alice, text: 'x' }, 'message m has no created_at such as 2025-01-23T13:05:35.491258Z'],
    [
      { id: 'm', user: alice, text: 'x', created_at: 'yesterday' },
      'message m has no created_at such as 2025-01-23T13:05:35.491258Z',
    ],
    [{ id: 'm', user: alice, text: 'x', created_at: '0000-01-01T00:00:00Z' }, 'message m has a time that there is not'],
  ])('a message such as %j is told, and the others come out', async (bad, fault) => {
    const list = [{ ...good, id: 'first' }, bad, { ...good, id: 'last' }];
    const { lines, faults } = await read(JSON.stringify({ channel, messages: list, members }, null, 1));
    expect(faults).toEqual([{ file: '', line: expect.any(Number), fault }]);
    expect(linesOf(lines, 'message')).toHaveLength(2);
    checkOrder(lines);
  });

  it('is given up when it is told to', async () => {
    const stop = new AbortController();
    stop.abort(new Error('the job lost its lease'));
    const file = new BytesFile(Buffer.from(JSON.stringify({ channel, members })));
    await expect(adapted(streamLines(file, { ...options, signal: stop.signal }))).rejects.toThrow(
      'the job lost its lease',
    );
  });
});

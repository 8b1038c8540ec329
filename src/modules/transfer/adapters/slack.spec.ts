import fc from 'fast-check';
import {
  adapted,
  type Adapted,
  BytesFile,
  checkOrder,
  linesOf,
  zipOf,
} from '../../../../test/support/transfer/foreign-files';
import { slackFiles, slackWorkspace } from '../../../../test/support/transfer/slack-export';
import { MAX_CONTENT, MAX_META_BYTES, MAX_METADATA_BYTES } from '../../../common/limits';
import { jsonBytes } from '../../../common/text';
import type { MessageFields } from '../format';
import { slackLines } from './slack';

const options = { maxBytes: 1024 ** 3 };

async function read(files: Readonly<Record<string, unknown>>): Promise<Adapted> {
  return adapted(slackLines(new BytesFile(await zipOf(files)), options));
}

const BASE = {
  'users.json': [
    { id: 'U1', name: 'alice', profile: { real_name: 'Alice A.', display_name: 'alice' } },
    { id: 'U2', name: 'bob', profile: { real_name: 'Bob' } },
  ],
  'channels.json': [{ id: 'C1', name: 'general', created: 1_500_000_000, creator: 'U2', members: ['U1', 'U2'] }],
};

/** The messages of a channel whose one day has these entries. */
async function messages(...entries: object[]): Promise<MessageFields[]> {
  const { lines, faults } = await read({ ...BASE, 'general/2024-01-31.json': entries });
  expect(faults).toEqual([]);
  checkOrder(lines);
  return linesOf(lines, 'message');
}

async function faults(files: Readonly<Record<string, unknown>>): Promise<string[]> {
  const found = await read({ ...BASE, ...files });
  return found.faults.map(({ file, line, fault }) => `${file}:${line} ${fault}`);
}

const at = (seconds: number): string => `17066${String(seconds).padStart(5, '0')}.000100`;

describe('the export of a Slack workspace', () => {
  it('any history comes out with its authors, times, texts and order', async () => {
    await fc.assert(
      fc.asyncProperty(slackWorkspace, async (workspace) => {
        const { lines, faults: found } = await read(slackFiles(workspace));
        expect(found).toEqual([]);
        checkOrder(lines);
        const rooms = linesOf(lines, 'room');
        for (const each of workspace.conversations) {
          const room = rooms.find(({ metadata }) => (metadata?.['slack'] as { id?: string }).id === each.id);
          const members = linesOf(lines, 'member').filter(({ room_id }) => room_id === room?.room_id);
          const sent = linesOf(lines, 'message').filter(({ room_id }) => room_id === room?.room_id);
          expect(members.map(({ user_id }) => user_id)).toEqual([...each.members].sort());
          const seqOf = new Map(each.messages.map(({ ts }, i) => [ts, i + 1]));
          expect(
            sent.map((m) => [
              m.sender_id,
              m.content,
              m.role,
              m.created_at,
              m.edited_at,
              m.deleted_at,
              m.meta?.['reply_to_seq'],
            ]),
          ).toEqual(
            each.messages.map((m) => {
              const time = new Date(Math.floor(m.us / 1000)).toISOString();
              const reply = m.parent === undefined || m.isDeleted ? undefined : seqOf.get(m.parent);
              return [m.sender, m.content, m.role, time, m.editedAt, m.isDeleted ? time : null, reply];
            }),
          );
        }
        expect(rooms).toHaveLength(workspace.conversations.length);
      }),
      { numRuns: 60 },
    );
  });

  it('is read the same every time', async () => {
    await fc.assert(
      fc.asyncProperty(slackWorkspace, async (workspace) => {
        const zip = await zipOf(slackFiles(workspace));
        const [first, second] = [
          await adapted(slackLines(new BytesFile(zip), options)),
          await adapted(slackLines(new BytesFile(zip, 100), options)),
        ];
        expect(second.lines).toEqual(first.lines);
      }),
      { numRuns: 10 },
    );
  });

  it('conversations become rooms of their kind', async () => {
    const lists = { created: 1_500_000_000, creator: 'U9', is_archived: true, members: ['U1', 'U2'] };
    const { lines, faults: found } = await read({
      ...BASE,
      'channels.json': [...BASE['channels.json'], { ...lists, id: 'C2', name: 'old', topic: { value: 'dust' } }],
      'groups.json': [{ id: 'G1', name: 'secret', members: ['U1'], creator: 'U1' }],
      'mpims.json': [{ id: 'G2', name: 'mpdm-alice--bob-1', members: ['U1', 'U2'], creator: 'U1' }],
      'dms.json': [
        { id: 'D1', members: ['U2', 'U1'], created: 1_500_000_000 },
        { id: 'D2', members: ['U1', 'U1'], created: 1_500_000_000 },
        { id: 'D3', members: ['U1', 'U3'], created: 1_500_000_000 },
      ],
    });
    expect(found).toEqual([]);
    checkOrder(lines);
    const rooms = linesOf(lines, 'room').map((room) => {
      const members = linesOf(lines, 'member').filter(({ room_id }) => room_id === room.room_id);
      const { id } = room.metadata?.['slack'] as Record<string, unknown>;
      const roles = members.map((m) => `${m.user_id} ${m.role}`).join();
      return [id, room.type, room.name, room.unique_key, room.posting, roles];
    });
    expect(rooms.sort()).toEqual([
      ['C1', 'channel', 'general', null, 'members', 'U1 member,U2 admin'],
      ['C2', 'channel', 'old', null, 'admins', 'U1 admin,U2 member'],
      ['D1', 'dm', null, 'dm:U1:U2', 'members', 'U1 member,U2 member'],
      ['D2', 'group', null, null, 'members', 'U1 admin'],
      ['D3', 'dm', null, 'dm:U1:U3', 'members', 'U1 member,U3 member'],
      ['G1', 'group', 'secret', null, 'members', 'U1 admin'],
      ['G2', 'group', 'mpdm-alice--bob-1', null, 'members', 'U1 admin,U2 member'],
    ]);
    expect(linesOf(lines, 'user').map(({ user_id, profile }) => [user_id, profile['name']])).toEqual([
      ['U1', 'alice'],
      ['U2', 'Bob'],
      ['U3', undefined],
    ]);
  });

  it('whoever wrote is a user, listed or not', async () => {
    const { lines } = await read({
      ...BASE,
      'general/2024-01-31.json': [
        { type: 'message', user: 'U9', user_profile: { display_name: 'guest' }, text: 'a', ts: at(1) },
        {
          type: 'message',
          subtype: 'bot_message',
          bot_id: 'B1',
          bot_profile: { name: 'Deploys' },
          text: 'b',
          ts: at(2),
        },
        { type: 'message', subtype: 'bot_message', username: 'old hook', text: 'c', ts: at(3) },
        {
          type: 'message',
          subtype: 'file_comment',
          comment: { user: 'U2', comment: 'nice <@U1>' },
          text: 'U2 commented',
          ts: at(4),
        },
        { type: 'message', user: 'USLACKBOT', text: 'd', ts: at(5) },
      ],
    });
    checkOrder(lines);
    const names = new Map(linesOf(lines, 'user').map(({ user_id, profile }) => [user_id, profile['name']]));
    const sent = linesOf(lines, 'message').map(({ sender_id, content }) => [names.get(sender_id), content]);
    expect(sent).toEqual([
      ['guest', 'a'],
      ['Deploys', 'b'],
      ['old hook', 'c'],
      ['Bob', 'nice @alice'],
      [undefined, 'd'],
    ]);
    expect(linesOf(lines, 'user').find(({ user_id }) => user_id === 'U9')?.created_at).toBe(
      linesOf(lines, 'message')[0]?.created_at,
    );
  });

  it.each<[string, object, string]>([
    ['an attachment', { text: '', attachments: [{ title: 'Build', text: 'passed', fallback: 'no' }] }, 'Build\npassed'],
    ['a fallback', { text: '', attachments: [{ fallback: 'Build passed' }] }, 'Build passed'],
    [
      'files',
      { text: '', subtype: 'file_share', files: [{ name: 'a.png' }, { title: 'Plan', name: 'b.pdf' }] },
      'a.png\nPlan',
    ],
    [
      'blocks',
      { text: '', blocks: [{ type: 'rich_text', elements: [{ elements: [{ type: 'text', text: 'hi' }] }] }] },
      'hi',
    ],
    ['nothing', { text: ' ' }, '(no text)'],
    ['a NUL and half a character', { text: 'a\u0000b\ud800' }, 'ab\ufffd'],
  ])('a message of %s shows it', async (_name, fields, content) => {
    const [message] = await messages({ type: 'message', user: 'U1', ts: at(1), ...fields });
    expect(message?.content).toBe(content);
  });

  it('files are named, and no token of Slack comes along', async () => {
    const url = 'https://files.slack.com/files-pri/T1-F1/a.png';
    const [message] = await messages({
      type: 'message',
      user: 'U1',
      text: 'look',
      ts: at(1),
      files: [{ id: 'F1', name: 'a.png', size: 12, mimetype: 'image/png', url_private: `${url}?t=xoxe-1-secret` }],
      reactions: [{ name: 'tada', users: ['U1', 'U2'], count: 2 }],
    });
    expect(message?.meta).toEqual({
      slack: {
        ts: at(1),
        files: [{ id: 'F1', name: 'a.png', mimetype: 'image/png', size: 12, url }],
        reactions: [{ name: 'tada', users: ['U1', 'U2'] }],
      },
    });
  });

  it('a text that is too long becomes messages that are not', async () => {
    const text = '🦊'.repeat(MAX_CONTENT) + 'end';
    const found = await messages(
      { type: 'message', user: 'U1', text: 'before', ts: at(1), thread_ts: at(1) },
      { type: 'message', user: 'U1', text, ts: at(2) },
      { type: 'message', user: 'U1', text: 'after', ts: at(3), thread_ts: at(1) },
    );
    expect(found.map(({ seq, content }) => [seq, [...content].length])).toEqual([
      [1, 6],
      [2, MAX_CONTENT],
      [3, 3],
      [4, 5],
    ]);
    expect([found[1]?.created_at, found[3]?.meta?.['reply_to_seq']]).toEqual([found[2]?.created_at, 1]);
  });

  it('what is too large for meta and metadata is cut, and named', async () => {
    const attachments = Array.from({ length: 100 }, (_, i) => ({ text: `${i}${'x'.repeat(500)}` }));
    const { lines } = await read({
      ...BASE,
      'channels.json': [{ id: 'C1', name: 'n'.repeat(300), members: ['U1'], purpose: { value: 'p'.repeat(10_000) } }],
      'C1/2024-01-31.json': [{ type: 'message', user: 'U1', text: 'x', ts: at(1), attachments, thread_ts: at(0) }],
    });
    const [room, message] = [linesOf(lines, 'room')[0], linesOf(lines, 'message')[0]];
    expect(room?.metadata).toEqual({ slack: { id: 'C1', cut: ['purpose'] } });
    expect(room?.name).toHaveLength(200);
    expect(message?.meta).toEqual({ slack: { ts: at(1), thread_ts: at(0), cut: ['attachments'] } });
    expect(jsonBytes(room?.metadata)).toBeLessThanOrEqual(MAX_METADATA_BYTES);
    expect(jsonBytes(message?.meta)).toBeLessThanOrEqual(MAX_META_BYTES);
  });

  it('logs of edits and deletions are no messages', async () => {
    const found = await messages(
      { type: 'message', user: 'U1', text: 'as it is now', ts: at(1), edited: { user: 'U1', ts: at(9) } },
      { type: 'message', subtype: 'message_changed', ts: at(2), message: {}, original: { text: 'as it was' } },
      { type: 'message', subtype: 'message_deleted', ts: at(3), original: { text: 'gone' } },
    );
    expect(found.map(({ content }) => content)).toEqual(['as it is now']);
  });

  it('a message that two files have is one', async () => {
    const message = { type: 'message', user: 'U1', text: 'midnight', ts: at(1) };
    const { lines, faults: none } = await read({
      ...BASE,
      'general/2024-01-30.json': [message],
      'general/2024-01-31.json': [message],
    });
    expect([linesOf(lines, 'message').length, none]).toEqual([1, []]);
  });

  it('may be packed with its folder, and with what a Mac adds', async () => {
    const files = { ...BASE, 'general/2024-01-31.json': [{ type: 'message', user: 'U1', text: 'x', ts: at(1) }] };
    const inside = Object.fromEntries(Object.entries(files).map(([name, content]) => [`Acme export/${name}`, content]));
    const { lines, faults: none } = await read({ ...inside, '__MACOSX/Acme export/._users.json': Buffer.from([0, 5]) });
    expect([linesOf(lines, 'message').length, none]).toEqual([1, []]);
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['a list that is no JSON', { 'users.json': '[{"id":"U1"},\n{"id":' }, ['users.json:2 the JSON ends in the middle']],
    [
      'a list of no objects',
      { 'users.json': '[\n1,\n"x"]' },
      ['users.json:2 it is no object', 'users.json:3 it is no object'],
    ],
    ['a user without an id', { 'users.json': [{ name: 'x' }] }, ['users.json:2 a user has no id']],
    ['a conversation without an id', { 'groups.json': [{ name: 'x' }] }, ['groups.json:2 a conversation has no id']],
    ['a conversation twice', { 'groups.json': [{ id: 'C1' }] }, ['groups.json:2 conversation C1 is listed twice']],
    [
      'messages of nowhere',
      { 'lost/2024-01-31.json': [] },
      ['lost/2024-01-31.json:0 no list of conversations has "lost"'],
    ],
    [
      'a day that is no list',
      { 'general/2024-01-31.json': '{"a":1}' },
      ['general/2024-01-31.json:1 it is no JSON array'],
    ],
    [
      'a day that was cut off',
      { 'general/2024-01-31.json': '[\n{}' },
      [
        'general/2024-01-31.json:2 a message has no ts such as 1355517523.000005',
        'general/2024-01-31.json:2 the JSON ends in the middle',
      ],
    ],
    [
      'an entry that is no message',
      { 'general/2024-01-31.json': '[\n{"type":"party","ts":"1.2"},7]' },
      ['general/2024-01-31.json:2 the entry is no message', 'general/2024-01-31.json:2 it is no object'],
    ],
    [
      'a message of nobody',
      { 'general/2024-01-31.json': '[{"ts":"1706600001.000100","text":"x"}]' },
      ['general/2024-01-31.json:1 message 1706600001.000100 has no user and no bot'],
    ],
    [
      'a message of long before',
      {
        'general/2024-01-29.json': [{ user: 'U1', text: 'b', ts: at(5) }],
        'general/2024-01-30.json': [{ user: 'U1', text: 'c', ts: at(6) }],
        'general/2024-01-31.json': '[{"user":"U1","text":"a","ts":"1600000000.000100"}]',
      },
      ['general/2024-01-31.json:1 message 1600000000.000100 is older than one that stands before it'],
    ],
  ])('%s is told with its file and line, and nothing is thrown', async (_name, files, told) => {
    expect(await faults(files)).toEqual(told);
  });

  it('one bad message in many is told, and the others come out', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ type: 'message', user: 'U1', text: `${i}`, ts: at(i) }));
    const { lines, faults: found } = await read({
      ...BASE,
      'general/2024-01-31.json': [...many.slice(0, 1500), { user: 'U1', text: 'x' }, ...many.slice(1500)],
    });
    expect(found).toHaveLength(1);
    checkOrder(lines);
    expect(linesOf(lines, 'message')).toHaveLength(3000);
  });

  it('comments on canvases, which no list names, are passed over', async () => {
    expect(await faults({ 'FC:F012:Plan/2024-01-31.json': [{ user: 'U1', text: 'x', ts: at(1) }] })).toEqual([]);
  });

  it('what is no zip, and a zip of something else, is one fault', async () => {
    const noZip = await adapted(slackLines(new BytesFile(Buffer.from('hello')), options));
    expect(noZip.faults).toEqual([{ file: '', line: 0, fault: expect.stringMatching(/^the zip cannot be read/) }]);
    const other = await adapted(slackLines(new BytesFile(await zipOf({ 'a.json': [] })), options));
    expect(other.faults).toEqual([{ file: '', line: 0, fault: expect.stringMatching(/^it is no export of Slack/) }]);
    expect([noZip.lines, other.lines]).toEqual([[], []]);
  });

  it('a bomb among the days is refused before anything is read', async () => {
    const { faults: found, lines } = await read({ ...BASE, 'general/2024-01-31.json': Buffer.alloc(5_000_000, ' ') });
    expect(found.map(({ fault }) => fault)).toEqual([
      'general/2024-01-31.json unpacks to more than 100 times its size',
    ]);
    expect(lines).toEqual([]);
  });

  it('is given up when it is told to', async () => {
    const stop = new AbortController();
    stop.abort(new Error('the job lost its lease'));
    const lines = slackLines(new BytesFile(await zipOf(BASE)), { ...options, signal: stop.signal });
    await expect(adapted(lines)).rejects.toThrow('the job lost its lease');
  });
});

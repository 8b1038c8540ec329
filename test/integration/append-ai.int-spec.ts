import { newUuid } from '../../src/common/ids';
import type { NewMessage } from '../../src/modules/messages/appender/item';
import { chatCreate } from '../../src/modules/chats/chats.functions';
import { AppendFixture, messageTo, type RoomRef } from '../support/append-model';

let bench: AppendFixture;
beforeAll(async () => {
  bench = await AppendFixture.start();
});
afterAll(() => bench.close());

const AGENT = 'agent_default';

async function chat(): Promise<RoomRef> {
  const tenantId = await bench.tenant();
  const roomId = newUuid();
  const room = { tenantId, roomId };
  await bench.call(room, chatCreate, {
    p_room: roomId,
    p_user: 'alice',
    p_preset: 'default',
    p_agent: AGENT,
    p_title: 'New chat',
    p_auto_title: true,
    p_active: false,
  });
  return room;
}

function turn(room: RoomRef, more: Partial<NewMessage> = {}): NewMessage & { readonly runId: string } {
  const runId = newUuid();
  const payload = { run_id: runId, room_id: room.roomId, user_id: 'alice' };
  return { ...messageTo(room, { jobs: [{ kind: 'run', key: room.roomId, payload }], ...more }), runId };
}

function answer(room: RoomRef, runId: string, content: string, status = 'completed'): NewMessage {
  return messageTo(room, {
    messageId: runId,
    clientMessageId: runId,
    senderId: AGENT,
    content,
    bodyHash: Buffer.from(content),
    answer: { status, replyToSeq: 1, run: { total_tokens: 7, token_count: 2, finish_reason: 'stop' } },
  });
}

const runs = ({ tenantId }: RoomRef): Promise<object[]> =>
  bench.database.sql(
    'SELECT run_id, state, reply_to_seq::int, answer_seq::int, total_tokens::int FROM runs WHERE tenant_id = $1',
    [tenantId],
  );
const jobs = ({ tenantId }: RoomRef): Promise<object[]> =>
  bench.database.sql('SELECT kind, payload FROM jobs WHERE tenant_id = $1', [tenantId]);

describe('append_messages in a room of type ai', () => {
  it('refuses a message without a run, and stores nothing', async () => {
    const room = await chat();
    expect(await bench.appendOne(messageTo(room))).toMatchObject({ status: 'ai' });
    expect(await bench.counters(room)).toEqual({ last_seq: 0, last_rev: 0 });
  });

  it('makes the run and its job with the message', async () => {
    const room = await chat();
    const said = turn(room);
    expect(await bench.appendOne(said)).toMatchObject({ status: 'new', seq: 1 });
    expect(await runs(room)).toEqual([
      { run_id: said.runId, state: 'queued', reply_to_seq: 1, answer_seq: null, total_tokens: null },
    ]);
    const payload = { run_id: said.runId, room_id: room.roomId, user_id: 'alice', message_id: said.messageId, seq: 1 };
    expect(await jobs(room)).toEqual([{ kind: 'run', payload }]);
  });

  it('answers a repeat with the first message and makes no second run, with a run or without', async () => {
    const room = await chat();
    const said = turn(room, { clientMessageId: 'c' });
    await bench.appendOne(said);
    for (const again of [turn(room, { clientMessageId: 'c' }), messageTo(room, { clientMessageId: 'c' })])
      expect(await bench.appendOne(again)).toMatchObject({ status: 'duplicate', message_id: said.messageId });
    expect(await runs(room)).toHaveLength(1);
    expect(await jobs(room)).toHaveLength(1);
  });

  it('refuses whoever is no member, with a run too, and makes none', async () => {
    const room = await chat();
    expect(await bench.appendOne(turn(room, { senderId: 'mallory' }))).toMatchObject({ status: 'not_member' });
    expect([...(await runs(room)), ...(await jobs(room))]).toEqual([]);
  });

  it('stores an answer and ends its run in one go', async () => {
    const room = await chat();
    const said = turn(room);
    await bench.appendOne(said);
    expect(await bench.appendOne(answer(room, said.runId, 'Hello'))).toMatchObject({ status: 'new', seq: 2 });
    expect(await runs(room)).toEqual([
      { run_id: said.runId, state: 'completed', reply_to_seq: 1, answer_seq: 2, total_tokens: 7 },
    ]);
    const [row] = await bench.database.sql(
      'SELECT kind, status, reply_to_seq::int, sender_id FROM messages WHERE tenant_id = $1 AND seq = 2',
      [room.tenantId],
    );
    expect(row).toEqual({ kind: 'assistant', status: 'completed', reply_to_seq: 1, sender_id: AGENT });
  });

  it('takes one answer of a run: the same again is found, another is refused', async () => {
    const room = await chat();
    const said = turn(room);
    await bench.appendOne(said);
    await bench.appendOne(answer(room, said.runId, 'Hel', 'interrupted'));
    expect(await bench.appendOne(answer(room, said.runId, 'Hel', 'interrupted'))).toMatchObject({
      status: 'new',
      seq: 2,
    });
    expect(await bench.appendOne(answer(room, said.runId, 'Hello'))).toMatchObject({ status: 'mismatch' });
    expect(await bench.counters(room)).toMatchObject({ last_seq: 2 });
    expect(await runs(room)).toMatchObject([{ state: 'interrupted' }]);
  });

  it('takes people, turns and answers of many rooms in one batch', async () => {
    const [first, second] = [await chat(), await chat()];
    const group = await bench.room();
    const said = turn(first);
    await bench.appendOne(said);
    const other = turn(second);
    const rows = await bench.repository.append(
      [messageTo(group), answer(first, said.runId, 'Hi'), other, messageTo(second), messageTo(group)],
      true,
    );
    expect(rows.sort((a, b) => a.item - b.item).map(({ status, seq }) => [status, seq])).toEqual([
      ['new', 1],
      ['new', 2],
      ['new', 1],
      ['ai', null],
      ['new', 2],
    ]);
  });
});

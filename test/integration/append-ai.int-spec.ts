import fc from 'fast-check';
import { BatchWriter } from '../../src/modules/messages/appender/batch-writer';
import type { NewMessage } from '../../src/modules/messages/appender/item';
import { AGENT, aiAnswer, aiChat, aiTurn } from '../support/ai-chats';
import { AppendFixture, checkLog, messageTo, type RoomRef, WAITING } from '../support/append-model';
import { BusyModel, busyCalls } from '../support/busy-model';
import { runs as runsOf } from '../support/timing';

let bench: AppendFixture;
beforeAll(async () => {
  bench = await AppendFixture.start();
});
afterAll(() => bench.close());

const chat = (): Promise<RoomRef> => aiChat(bench);

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
    const said = aiTurn(room);
    expect(await bench.appendOne(said)).toMatchObject({ status: 'new', seq: 1 });
    expect(await runs(room)).toEqual([
      { run_id: said.runId, state: 'queued', reply_to_seq: 1, answer_seq: null, total_tokens: null },
    ]);
    const payload = { run_id: said.runId, room_id: room.roomId, user_id: 'alice', message_id: said.messageId, seq: 1 };
    expect(await jobs(room)).toEqual([{ kind: 'run', payload }]);
  });

  it('answers a repeat with the first message and makes no second run, with a run or without', async () => {
    const room = await chat();
    const said = aiTurn(room, { clientMessageId: 'c' });
    await bench.appendOne(said);
    for (const again of [aiTurn(room, { clientMessageId: 'c' }), messageTo(room, { clientMessageId: 'c' })])
      expect(await bench.appendOne(again)).toMatchObject({ status: 'duplicate', message_id: said.messageId });
    expect(await runs(room)).toHaveLength(1);
    expect(await jobs(room)).toHaveLength(1);
  });

  it('refuses whoever is no member, with a run too, and makes none', async () => {
    const room = await chat();
    expect(await bench.appendOne(aiTurn(room, { senderId: 'mallory' }))).toMatchObject({ status: 'not_member' });
    expect([...(await runs(room)), ...(await jobs(room))]).toEqual([]);
  });

  it('stores an answer and ends its run in one go', async () => {
    const room = await chat();
    const said = aiTurn(room);
    await bench.appendOne(said);
    expect(await bench.appendOne(aiAnswer(room, said.runId, 'Hello'))).toMatchObject({ status: 'new', seq: 2 });
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
    const said = aiTurn(room);
    await bench.appendOne(said);
    await bench.appendOne(aiAnswer(room, said.runId, 'Hel', 'interrupted'));
    expect(await bench.appendOne(aiAnswer(room, said.runId, 'Hel', 'interrupted'))).toMatchObject({
      status: 'new',
      seq: 2,
    });
    expect(await bench.appendOne(aiAnswer(room, said.runId, 'Hello'))).toMatchObject({ status: 'mismatch' });
    expect(await bench.counters(room)).toMatchObject({ last_seq: 2 });
    expect(await runs(room)).toMatchObject([{ state: 'interrupted' }]);
  });

  it('takes people, turns and answers of many rooms in one batch', async () => {
    const [first, second] = [await chat(), await chat()];
    const group = await bench.room();
    const said = aiTurn(first);
    await bench.appendOne(said);
    const other = aiTurn(second);
    const rows = await bench.repository.append(
      [messageTo(group), aiAnswer(first, said.runId, 'Hi'), other, messageTo(second), messageTo(group)],
      WAITING,
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

describe('a message that is to be refused while an answer is written', () => {
  const choosy = (room: RoomRef, more: Partial<NewMessage> = {}): ReturnType<typeof aiTurn> =>
    aiTurn(room, { onlyIfFree: true, ...more });
  const states = async (room: RoomRef): Promise<string[]> =>
    (await runs(room)).map((run) => (run as { readonly state: string }).state).sort();

  it.each(['queued', 'streaming'])('is refused while a run is %s, and nothing is stored', async (state) => {
    const room = await chat();
    await bench.appendOne(choosy(room));
    await bench.database.sql('UPDATE runs SET state = $2 WHERE tenant_id = $1', [room.tenantId, state]);
    const refused = { status: 'busy', message_id: null, seq: null, rev: null, created_at: null };
    expect(await bench.appendOne(choosy(room))).toEqual({ item: 1, ...refused });
    expect(await bench.counters(room)).toEqual({ last_seq: 1, last_rev: 1 });
    expect(await states(room)).toEqual([state]);
    expect(await jobs(room)).toHaveLength(1);
  });

  it.each(['completed', 'cancelled', 'interrupted', 'failed'])('is taken when the run is %s', async (state) => {
    const room = await chat();
    const first = choosy(room);
    await bench.appendOne(first);
    await bench.appendOne(aiAnswer(room, first.runId, 'Hello', state));
    expect(await bench.appendOne(choosy(room))).toMatchObject({ status: 'new', seq: 3 });
    expect(await states(room)).toEqual([state, 'queued'].sort());
  });

  it('is one of several in a call, and an answer beside it frees the chat for the next call', async () => {
    const [busy, free] = [await chat(), await chat()];
    const first = choosy(busy);
    await bench.appendOne(first);
    const batch = [
      choosy(busy),
      choosy(free),
      aiAnswer(busy, first.runId, 'Hello'),
      choosy(free),
      choosy(busy),
      aiTurn(free),
    ];
    const rows = (await bench.repository.append(batch, 0)).sort((a, b) => a.item - b.item);
    expect(rows.map(({ status, seq }) => [status, seq])).toEqual([
      ['busy', null],
      ['new', 1],
      ['new', 2],
      ['busy', null],
      ['busy', null],
      ['new', 2],
    ]);
    expect(await bench.appendOne(choosy(busy))).toMatchObject({ status: 'new', seq: 3 });
  });

  it('keeps nobody out where it is refused itself', async () => {
    const room = await chat();
    const rows = await bench.repository.append([choosy(room, { senderId: 'mallory' }), choosy(room)], 0);
    expect(rows.map(({ status }) => status)).toEqual(['not_member', 'new']);
  });

  it('is found when it was stored before, and is not refused for its own run', async () => {
    const room = await chat();
    const [named, nameless] = [choosy(room, { clientMessageId: 'c' }), choosy(await chat())];
    await bench.repository.append([named, nameless], 0);
    expect(await bench.appendOne(choosy(room, { clientMessageId: 'c' }))).toMatchObject({
      status: 'duplicate',
      message_id: named.messageId,
    });
    // As after a connection that was lost at its COMMIT: the same message, by its id.
    const writer = new BatchWriter(bench.repository, () => Promise.resolve(true));
    const stored = [named, nameless].map(({ messageId }) => ({ status: 'new', messageId, seq: 1 }));
    expect(await writer.write([named, nameless], 0)).toMatchObject(stored);
    expect(await writer.write([choosy(room), nameless], 0)).toMatchObject([{ status: 'busy' }, stored[1]]);
  });

  it('fares as in a simple model, whatever else is in its call', async () => {
    await fc.assert(
      fc.asyncProperty(busyCalls, async (calls) => {
        const tenantId = await bench.tenant();
        const rooms = [await aiChat(bench, tenantId), await aiChat(bench, tenantId)];
        const model = new BusyModel(rooms);
        for (const items of calls) {
          const expected = model.call(items);
          if (expected.length === 0) continue;
          const batch = expected.map(({ message }) => message);
          const rows = (await bench.repository.append(batch, 0)).sort((a, b) => a.item - b.item);
          expect(rows.map(({ status, seq }) => [status, seq])).toEqual(
            expected.map(({ status, seq }) => [status, seq]),
          );
        }
        for (const room of rooms) checkLog(await bench.log(room));
      }),
      { numRuns: runsOf(40) },
    );
  });
});

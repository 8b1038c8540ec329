import { newUuid } from '../../src/common/ids';
import { chatDelete, chatExternal, chatRevise } from '../../src/modules/chats/chats.functions';
import { AGENT, aiAnswer, aiChat, aiTurn } from '../support/ai-chats';
import { AppendFixture, type RoomRef } from '../support/append-model';
import type { FunctionResult } from '../support/schema-function-calls';

let bench: AppendFixture;
beforeAll(async () => {
  bench = await AppendFixture.start();
});
afterAll(() => bench.close());

describe('chat_external', () => {
  const begin = async (tenantId: string, external: string, user = 'alice'): Promise<FunctionResult> => {
    const roomId = newUuid();
    return bench.call({ tenantId, roomId }, chatExternal, {
      ...{
        p_room: roomId,
        p_user: user,
        p_external: external,
        p_preset: 'default',
        p_agent: AGENT,
        p_title: 'New chat',
      },
    });
  };
  const idOf = ({ chat }: FunctionResult): string => (chat as { room_id: string }).room_id;

  it('of any number of racing calls makes one chat', async () => {
    const tenantId = await bench.tenant();
    // The users are there: what they would be locked for decides nothing.
    await begin(tenantId, 'first');
    for (let round = 0; round < 10; round++) {
      const all = await Promise.all(Array.from({ length: 8 }, () => begin(tenantId, `id-${round}`)));
      expect(new Set(all.map(idOf)).size).toBe(1);
      expect(all.filter(({ made }) => made === true)).toHaveLength(1);
    }
  });

  it('is one per tenant and user, and a deleted chat leaves its id free', async () => {
    const [one, two] = [await bench.tenant(), await bench.tenant()];
    const all = [await begin(one, 'x'), await begin(one, 'x', 'bob'), await begin(two, 'x')];
    expect(new Set(all.map(idOf)).size).toBe(3);
    const [first] = all.map(idOf);
    await bench.call({ tenantId: one, roomId: first ?? '' }, chatDelete, { p_room: first ?? '', p_by: 'alice' });
    const again = await begin(one, 'x');
    expect([again['made'], idOf(again) === first]).toEqual([true, false]);
    expect(idOf(await begin(one, 'x'))).toBe(idOf(again));
  });
});

describe('chat_revise', () => {
  const revise = (
    room: RoomRef,
    named: string | undefined,
    content?: string,
  ): Promise<FunctionResult & { readonly run_id?: string }> =>
    bench.call(room, chatRevise, {
      ...{ p_room: room.roomId, p_run: newUuid(), p_client: named, p_content: content },
      p_message: named !== undefined && /^[0-9a-f-]{36}$/.test(named) ? named : undefined,
    });

  /** A chat in which two questions were answered; ids of the second question and its answer. */
  async function answered(): Promise<{ room: RoomRef; first: string; question: string; answer: string }> {
    const room = await aiChat(bench);
    const ids: string[] = [];
    for (const [i, name] of ['q1', 'q2'].entries()) {
      const turn = aiTurn(room, { clientMessageId: name, content: name });
      await bench.appendOne(turn);
      const told = aiAnswer(room, turn.runId, `to ${name}`);
      await bench.appendOne({ ...told, answer: { status: 'completed', run: {}, replyToSeq: 1 + 2 * i } });
      ids.push(turn.messageId, turn.runId);
    }
    const [, first = '', question = '', answer = ''] = ids;
    return { room, first, question, answer };
  }

  const log = ({ tenantId, roomId }: RoomRef): Promise<object[]> =>
    bench.database.sql(
      'SELECT content, status, edited_at IS NOT NULL AS edited FROM messages WHERE tenant_id = $1 AND room_id = $2 ORDER BY seq',
      [tenantId, roomId],
    );

  type Named = (ids: { first: string; question: string; answer: string }) => [string | undefined, string?];

  it.each<[string, string, Named]>([
    ['nothing named', 'ok', () => [undefined]],
    ['the question by its client’s id', 'ok', () => ['q2']],
    ['the question by the server’s', 'ok', ({ question }) => [question]],
    ['the answer', 'ok', ({ answer }) => [answer]],
    ['the question, with a text', 'ok', () => ['q2', 'new']],
    ['the question by the server’s id, with a text', 'ok', ({ question }) => [question, 'new']],
    ['the answer, with a text', 'other', ({ answer }) => [answer, 'new']],
    ['an older question', 'other', () => ['q1']],
    ['an older question, with a text', 'other', () => ['q1', 'new']],
    ['an older answer', 'other', ({ first }) => [first]],
    ['what is not there', 'other', () => ['nobodys']],
  ])('%s: %s', async (_, status, what) => {
    const { room, ...ids } = await answered();
    const before = await log(room);
    const [named, content] = what(ids);
    expect(await revise(room, named, content)).toMatchObject({ status });
    const [asked, ...after] = [
      { content: content ?? 'q2', status: null, edited: content !== undefined },
      { content: 'to q2', status: 'superseded', edited: false },
    ];
    expect(await log(room)).toEqual(status === 'ok' ? [...before.slice(0, 2), asked, ...after] : before);
  });

  it('who asks again joins what is under way; another text has to wait for its end', async () => {
    const { room, answer } = await answered();
    const { run_id } = await revise(room, answer);
    for (const named of [undefined, 'q2', answer, run_id])
      expect(await revise(room, named)).toEqual({ status: 'kept', run_id });
    expect(await revise(room, 'q2', 'q2')).toEqual({ status: 'kept', run_id });
    expect(await revise(room, 'q2', 'another')).toMatchObject({ status: 'busy' });
    await bench.appendOne({
      ...aiAnswer(room, run_id ?? '', 'new'),
      answer: { status: 'completed', run: {}, replyToSeq: 3 },
    });
    // An answer that a good one has superseded stands for that; the newest one is answered anew.
    expect(await revise(room, answer)).toEqual({ status: 'kept', run_id });
    expect(await revise(room, run_id)).toMatchObject({ status: 'ok' });
  });

  it('a failed answer is no answer to join', async () => {
    const { room, answer } = await answered();
    const { run_id } = await revise(room, answer);
    const run = { error_code: 'MODEL_ERROR', error_message: 'x' };
    await bench.appendOne({ ...aiAnswer(room, run_id ?? '', ''), answer: { status: 'failed', run, replyToSeq: 3 } });
    expect(await revise(room, answer)).toMatchObject({ status: 'ok' });
  });

  it('waits for answers to earlier questions, and says where nothing was asked', async () => {
    const room = await aiChat(bench);
    expect(await revise(room, undefined)).toMatchObject({ status: 'nothing' });
    await bench.appendOne(aiTurn(room, { clientMessageId: 'q1' }));
    const second = aiTurn(room, { clientMessageId: 'q2', content: 'two' });
    await bench.appendOne(second);
    expect(await revise(room, 'q2')).toEqual({ status: 'kept', run_id: second.runId });
    expect(await revise(room, 'q2', 'new')).toMatchObject({ status: 'busy' });
    expect(await revise({ ...room, roomId: newUuid() }, undefined)).toMatchObject({ status: 'no_room' });
  });
});

import {
  CHAT,
  ended,
  FakeStreams,
  message,
  type PendingFollow,
  RUN_ID,
  RUN,
  started,
  tokens,
} from '../../../../test/support/chats/fake-streams';
import { RecordingConnection } from '../../../../test/support/realtime/recording-connection';
import { ChatSession } from './sessions';

let connection: RecordingConnection;
let streams: FakeStreams;
let session: ChatSession;

beforeEach(async () => {
  connection = new RecordingConnection();
  streams = new FakeStreams();
  session = new ChatSession(connection, CHAT, streams);
  await session.open(undefined);
});

interface ToldEvent {
  readonly event_type: string;
  readonly token?: string;
  readonly index?: number;
  readonly after_index?: number;
}

/** What the connection was sent, in short: a token event as its text and index. */
function told(): unknown[] {
  return connection.take().map((event) => {
    const { event_type: type, token, index, after_index: after } = event as unknown as ToldEvent;
    if (type === 'message_stream_token') return [token, index];
    return after === undefined ? type.replace('message_', '') : `started after ${after}`;
  });
}

function follow(nth: number): PendingFollow {
  const found = streams.follows[nth];
  if (!found) throw new Error(`no follow ${nth}`);
  return found;
}

describe('what happens in the chat', () => {
  it('is told in order', () => {
    streams.tell({ type: 'message', message: message('Hi'), clientMessageId: 'c1' });
    streams.tell(started(), tokens('Hel', 0), tokens('lo', 1), ended('Hello'));
    expect(told()).toEqual(['received', 'started after -1', ['Hel', 0], ['lo', 1], 'stream_ended']);
  });

  it('names the request on the connection that sent the message alone', () => {
    for (const connectionId of [connection.id, 'conn_other'])
      streams.tell({
        type: 'message',
        message: message('Hi'),
        clientMessageId: null,
        origin: { connectionId, requestId: 'r1' },
      });
    expect(connection.take().map(({ request_id }) => request_id)).toEqual(['r1', undefined]);
  });

  it('a failure has its error before its end', () => {
    const { answer } = ended('', { status: 'failed' }) as { answer: ReturnType<typeof message> };
    streams.tell({ type: 'ended', runId: RUN, answer, failure: { code: 'MODEL_ERROR', message: 'no' } });
    expect(connection.frames).toMatchObject([
      { event_type: 'error', error_code: 'MODEL_ERROR', details: { message_id: RUN_ID } },
      { event_type: 'message_stream_ended', status: 'failed' },
    ]);
  });

  it('what the model thinks keeps its place for a slow client, in as few events', () => {
    const thinks = (text: string) => ({ type: 'reasoning', runId: RUN, text }) as const;
    streams.tell(started());
    connection.isSlow = true;
    streams.tell(thinks('H'), thinks('m'), tokens('Hel', 0), tokens('lo', 1), thinks('?'), ended('Hello'));
    const texts = connection.take().flatMap(({ reasoning, token }) => reasoning ?? token ?? []);
    expect(texts).toEqual(['Hm', 'Hello', '?']);
  });

  it('a chat that is deleted closes with 4004, after what came before', () => {
    connection.isSlow = true;
    streams.tell(started(), tokens('Hel', 0), { type: 'deleted' });
    expect(connection.events).toMatchObject([
      { event_type: 'message_stream_started' },
      { event_type: 'message_stream_token' },
      { event_type: 'error', error_code: 'NOT_FOUND' },
      { close: 4004 },
    ]);
  });

  it('is watched no longer than the connection lives, also when it goes while the watch begins', async () => {
    session.close();
    expect(streams.watcher).toBeUndefined();
    const late = new ChatSession(connection, CHAT, streams);
    const opening = late.open({ runId: RUN, afterIndex: 3 });
    expect(streams.resumed).toEqual({ runId: RUN, afterIndex: 3 });
    late.close();
    await opening;
    expect(streams.watcher).toBeUndefined();
  });
});

describe('a client that is slow', () => {
  beforeEach(() => (connection.isSlow = true));

  it('gets the tokens that wait as one event per answer, when it reads again', () => {
    const other = '01900000-0000-7000-8000-0000000000e2';
    streams.tell(tokens('a', 0), tokens('b', 1), tokens('x', 7, other), tokens('c', 2));
    expect(told()).toEqual([]);
    connection.read();
    expect(told()).toEqual([
      ['ab', 1],
      ['x', 7],
      ['c', 2],
    ]);
    streams.tell(tokens('d', 3));
    expect(told()).toEqual([['d', 3]]);
  });

  it('gets them before any other event', () => {
    streams.tell(tokens('a', 0), tokens('b', 1), ended('ab'), tokens('c', 0, 'next'));
    expect(told()).toEqual([['ab', 1], 'stream_ended']);
    connection.read();
    expect(told()).toEqual([['c', 0]]);
  });

  it('gets them as frames of its queue when they are many', () => {
    for (let index = 0; index < 5; index++) streams.tell(tokens('x'.repeat(100_000), index));
    expect(connection.take().map(({ index }) => index)).toEqual([2]);
  });
});

describe('resume', () => {
  it('tells the run by the follow instead of the watch, to its one end', async () => {
    streams.tell(started(), tokens('a', 0), tokens('b', 1));
    told();
    const resuming = session.resume({ runId: RUN, afterIndex: 0 });
    streams.tell(tokens('c', 2));
    follow(0).begin();
    await resuming;
    for (const event of [started(0), tokens('bc', 2), tokens('d', 3)]) follow(0).watcher(event);
    streams.tell(tokens('d', 3), { type: 'message', message: message('Hi'), clientMessageId: null });
    follow(0).watcher(ended('abcd'));
    streams.tell(ended('abcd'), started(-1, 'next'));
    expect(told()).toEqual(['started after 0', ['bc', 2], ['d', 3], 'received', 'stream_ended', 'started after -1']);
  });

  it('tells the end once also where the watch is first', async () => {
    const resuming = session.resume({ runId: RUN, afterIndex: -1 });
    follow(0).begin();
    await resuming;
    streams.tell(ended('a'));
    for (const event of [started(), tokens('a', 0), ended('a')]) follow(0).watcher(event);
    expect(told()).toEqual(['started after -1', ['a', 0], 'stream_ended']);
  });

  it('that is refused loses nothing of what is live', async () => {
    streams.tell(started(), tokens('a', 0));
    const resuming = session.resume({ runId: RUN, afterIndex: 0 });
    streams.tell(tokens('b', 1));
    follow(0).fail();
    await expect(resuming).rejects.toMatchObject({ code: 'NOT_FOUND' });
    streams.tell(tokens('c', 2));
    expect(told()).toEqual(['started after -1', ['a', 0], ['b', 1], ['c', 2]]);
  });

  it('asked for again replaces the first; nothing comes twice', async () => {
    const [first, second] = [
      session.resume({ runId: RUN, afterIndex: 5 }),
      session.resume({ runId: RUN, afterIndex: 7 }),
    ];
    for (const each of [follow(0), follow(1)]) each.begin();
    await Promise.all([first, second]);
    for (const each of [follow(0), follow(1)])
      for (const event of [started(each.afterIndex), tokens('x', 8)]) each.watcher(event);
    expect(told()).toEqual(['started after 7', ['x', 8]]);
    expect([follow(0).isOver, follow(1).isOver]).toEqual([true, false]);
  });

  it('ends with the connection, also while it begins', async () => {
    const resuming = session.resume({ runId: RUN, afterIndex: 0 });
    session.close();
    follow(0).begin();
    await resuming;
    expect(follow(0).isOver).toBe(true);
    const failing = new ChatSession(connection, CHAT, streams).resume({ runId: RUN, afterIndex: 0 });
    follow(1).fail();
    await expect(failing).rejects.toThrow();
    expect(told()).toEqual([]);
  });
});

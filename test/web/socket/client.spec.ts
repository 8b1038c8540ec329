import { ChatClient, Network, type SocketLike } from '../../../web/src/socket';
import { backoff } from '../../../web/src/socket/backoff';

const ROOM = 'room_1';
const HELLO = { type: 'hello', epoch: 1 };

/** A socket whose other end is the test. */
class FakeSocket implements SocketLike {
  onopen: SocketLike['onopen'] = null;
  onmessage: SocketLike['onmessage'] = null;
  onclose: SocketLike['onclose'] = null;
  readonly sent: Record<string, unknown>[] = [];
  constructor(readonly url: string) {}
  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }
  close(): void {
    this.onclose = null;
  }
  says(...frames: object[]): void {
    for (const frame of frames) this.onmessage?.({ data: JSON.stringify(frame) });
  }
  types(): unknown[] {
    return this.sent.map(({ type }) => type);
  }
}

function message(seq: number, client_message_id: string | null = null): object {
  const rest = { room_id: ROOM, sender_id: 'bob', content: `message ${seq}`, meta: null, edited_at: null };
  return { type: 'message', message_id: `msg_${seq}`, seq, rev: seq, client_message_id, deleted_at: null, ...rest };
}

const complete = (last: number): object => ({
  ...{ type: 'sync.complete', room_id: ROOM, first_seq: 1, last_seq: last, last_rev: last },
  last_id: last === 0 ? null : `msg_${last}`,
});

function makeClient() {
  const sockets: FakeSocket[] = [];
  const recorded: string[] = [];
  const renewals: boolean[] = [];
  const network = new Network((url) => {
    const socket = new FakeSocket(url);
    sockets.push(socket);
    return socket;
  }, fetch);
  const client = new ChatClient({
    ...{ origin: 'http://chat.test', network, onNews: () => undefined, onReturn: () => undefined },
    getToken: (isRenewal) => {
      renewals.push(isRenewal);
      return Promise.resolve(`wst_${renewals.length}`);
    },
    record: ({ direction, type }) => recorded.push(`${direction} ${type}`),
  });
  const socket = async (nth: number): Promise<FakeSocket> => {
    await jest.advanceTimersByTimeAsync(0);
    const found = sockets[nth];
    if (found === undefined) throw new Error(`there is no socket ${nth}`);
    return found;
  };
  return { client, network, socket, sockets, recorded, renewals };
}

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('ChatClient', () => {
  it('connects with a ticket, syncs what it follows, and is live', async () => {
    const { client, socket } = makeClient();
    client.follow(ROOM, { seq: 0, rev: 0 });
    client.connect();
    const first = await socket(0);
    expect(first.url).toBe('ws://chat.test/ws?sync=manual&token=wst_1&close_codes=1');
    first.says(HELLO);
    expect(client.connection.state).toBe('syncing');
    expect(first.sent[0]).toMatchObject({ type: 'sync', rooms: [{ room_id: ROOM, after_seq: 0 }] });
    first.says(message(1), complete(1));
    expect(client.connection.state).toBe('live');
    await jest.advanceTimersByTimeAsync(100);
    expect(first.sent.at(-1)).toEqual({ type: 'ack', room_id: ROOM, seq: 1 });
    client.close();
  });

  it('syncs in one frame all rooms that it gets to know at once', async () => {
    const { client, socket } = makeClient();
    client.connect();
    const first = await socket(0);
    first.says(HELLO);
    for (const room of ['a', 'b', 'c']) client.follow(room, { seq: 0, rev: 0 });
    await jest.advanceTimersByTimeAsync(0);
    expect(first.sent.map(({ type, rooms }) => [type, (rooms as unknown[]).length])).toEqual([['sync', 3]]);
    client.close();
  });

  it('comes back after a cut with a new ticket, at once, and lacks nothing', async () => {
    const { client, network, socket, sockets } = makeClient();
    client.follow(ROOM, { seq: 0, rev: 0 });
    client.connect();
    const first = await socket(0);
    first.says(HELLO, message(1), complete(1));
    network.cut();
    expect(client.connection.state).toBe('waiting');
    client.send(ROOM, 'said while cut');
    await jest.advanceTimersByTimeAsync(120_000);
    expect(sockets).toHaveLength(1);
    network.restore();
    const second = await socket(1);
    expect(second.url).toContain('token=wst_2');
    second.says(HELLO);
    expect(second.types()).toEqual(['sync', 'send_message']);
    expect(second.sent[0]).toMatchObject({ rooms: [{ after_seq: 1, after_id: 'msg_1', after_rev: 1 }] });
    // A live one that is ahead of the sync, then the sync with all in order.
    second.says(message(4), message(2), message(3), message(4, String(second.sent[1]?.['request_id'])), complete(4));
    const { log } = client.room(ROOM) ?? {};
    expect(log?.messages.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect([log?.absences.at(-1), client.outbox.size]).toEqual([{ fromSeq: 2, toSeq: 4 }, 0]);
    client.close();
  });

  it('asks for a gap, and drops a log that was replaced', async () => {
    const { client, socket } = makeClient();
    client.follow(ROOM, { seq: 0, rev: 0 });
    client.connect();
    const first = await socket(0);
    first.says(HELLO, message(1), complete(1), message(3));
    expect(first.sent.filter(({ type }) => type === 'sync')).toHaveLength(2);
    first.says(message(2), message(3), complete(3));
    first.says({ ...message(2), message_id: 'msg_other' });
    expect(client.connection.state).toBe('recovering');
    expect(first.sent.at(-1)).toMatchObject({ type: 'sync', rooms: [{ after_seq: 0 }] });
    first.says(message(1), complete(1));
    expect([client.connection.state, client.room(ROOM)?.log.seq]).toEqual(['live', 1]);
    client.close();
  });

  it('gets a new credential after 4003, and gives up where that is refused too', async () => {
    const { client, socket, renewals } = makeClient();
    client.connect();
    for (const nth of [0, 1, 2]) {
      (await socket(nth)).onclose?.({ code: 4003, reason: 'expired' });
      await jest.advanceTimersByTimeAsync(30_000);
    }
    expect(renewals).toEqual([false, true, true]);
    expect([client.connection.state, client.connection.fault]).toEqual(['unrecoverable', '4003: expired']);
  });

  it.each([1003, 1009, 4001, 4004])('does not come back after %d', async (code) => {
    const { client, socket, sockets } = makeClient();
    client.connect();
    (await socket(0)).onclose?.({ code, reason: '' });
    await jest.advanceTimersByTimeAsync(120_000);
    expect([client.connection.state, sockets.length]).toEqual(['unrecoverable', 1]);
  });

  it('tells of typing at most every three seconds, and that it stopped', async () => {
    const { client, socket } = makeClient();
    client.connect();
    const first = await socket(0);
    first.says(HELLO);
    for (let key = 0; key < 35; key++) {
      client.typing(ROOM);
      await jest.advanceTimersByTimeAsync(100);
    }
    await jest.advanceTimersByTimeAsync(5000);
    expect(first.types()).toEqual(['typing.start', 'typing.start', 'typing.stop']);
    client.close();
  });

  it('notices a server that is silent', async () => {
    const { client, socket, recorded } = makeClient();
    client.connect();
    (await socket(0)).says(HELLO);
    await jest.advanceTimersByTimeAsync(76_000);
    expect(recorded.filter((entry) => entry === 'out ping')).toHaveLength(2);
    expect(recorded).toContain('state closed');
    client.close();
  });
});

describe('Network', () => {
  it('delays in order, also where it becomes faster meanwhile', async () => {
    const socket = new FakeSocket('');
    const network = new Network(() => socket, fetch);
    const got: string[] = [];
    const listener = { onOpen: () => undefined, onData: (data: string) => got.push(data), onClose: () => undefined };
    network.setDelay(1000);
    const wire = network.open('ws://chat.test', listener);
    await jest.advanceTimersByTimeAsync(1000);
    socket.says({ n: 1 });
    network.setDelay(0);
    socket.says({ n: 2 });
    expect(got).toEqual([]);
    await jest.advanceTimersByTimeAsync(1000);
    expect(got).toEqual(['{"n":1}', '{"n":2}']);
    wire.close();
  });
});

describe('backoff', () => {
  it('grows from half a second to thirty, and adds what the server asked', () => {
    expect([0, 1, 6, 50].map((attempt) => backoff(attempt, 0, 1))).toEqual([500, 1000, 30_000, 30_000]);
    expect(backoff(0, 1500, 0)).toBe(1500);
  });
});

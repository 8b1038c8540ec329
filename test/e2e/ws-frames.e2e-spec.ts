import type { TestTenant } from '../support/app';
import { send } from '../support/messages';
import { createRoom } from '../support/rooms';
import type { ServerFrame, WsClient } from '../support/ws/client';
import { clientFrame, RawSocket, upgradeRequest } from '../support/ws/raw';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: SocketApp;
let tenant: TestTenant;
let client: WsClient;
let roomId: string;

beforeAll(async () => {
  app = await startSocketApp();
  tenant = await app.tenant();
  roomId = (await createRoom(tenant.as('alice'), 'group', ['bob'])).room_id;
});
afterAll(() => app.close());

beforeEach(async () => {
  client = await app.open(tenant);
  await client.frame('hello');
});
afterEach(async () => {
  if (client.isOpen) await client.close();
});

/** Sends a frame and waits for the one that answers it. */
function ask(type: string, fields: object, from = client): Promise<ServerFrame> {
  return from.ask({ type, ...fields });
}

describe.each([
  ['flat', (type: string, fields: object) => ({ type, ...fields })],
  ['nested', (type: string, data: object) => ({ type, data })],
])('every frame of a client, %s, gets exactly its answer', (_how, shaped) => {
  let room: string;

  beforeEach(async () => {
    room = (await createRoom(tenant.as('alice'), 'group', ['bob'])).room_id;
    await send(tenant.as('bob'), room);
  });

  it.each<[string, object, object]>([
    [
      'send_message',
      { content: 'hi', meta: { a: [1] }, client_message_id: 'c' },
      {
        type: 'message.accepted',
        message_id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
        seq: 2,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      },
    ],
    ['ack', { seq: 1 }, { type: 'ack.received', seq: 1, user_id: 'alice' }],
    ['read', { seq: 1 }, { type: 'read.received', seq: 1, user_id: 'alice' }],
    ['subscribe', {}, { type: 'subscribed', last_seq: 1, last_rev: 1 }],
    ['unsubscribe', {}, { type: 'unsubscribed' }],
  ])('%s', async (type, fields, expected) => {
    const answer = await client.ask(shaped(type, { room_id: room, ...fields }));
    expect(answer).toEqual({ ...expected, request_id: answer['request_id'], room_id: room });
  });

  it('ping', async () => {
    const answer = await client.ask(shaped('ping', {}));
    expect(answer).toEqual({ type: 'pong', request_id: answer['request_id'] });
  });

  it('typing.start and typing.stop: none; the others see it', async () => {
    const bob = await app.open(tenant, 'bob');
    await bob.ask({ type: 'ping' });
    const before = client.frames.length;
    for (const action of ['start', 'stop']) {
      client.send(shaped(`typing.${action}`, { room_id: room }));
      const seen = await bob.frame((frame) => frame.type === 'typing' && frame['action'] === action);
      expect(seen).toEqual({ type: 'typing', room_id: room, user_id: 'alice', action });
    }
    await client.settled();
    // Who is online is told whenever it is known.
    expect(client.frames.slice(before).filter(({ type }) => !type.startsWith('presence.'))).toEqual([]);
    await bob.close();
  });
});

describe('request_id', () => {
  it('is taken from the top level before data, also in a refusal', async () => {
    client.send({ type: 'ping', request_id: 'top', data: { request_id: 'inner' } });
    client.send({ type: 'ping', data: { request_id: 'inner' } });
    client.send({ type: 'shout', request_id: 'refused' });
    await client.frame('error');
    const answers = client.frames.filter(({ request_id }) => request_id !== undefined);
    expect(answers.map(({ type, request_id }) => [type, request_id])).toEqual([
      ['pong', 'top'],
      ['pong', 'inner'],
      ['error', 'refused'],
    ]);
  });

  it('of 64 characters comes back; a longer one, and one that is no text, are refused', async () => {
    const longest = '😀'.repeat(64);
    client.send({ type: 'ping', request_id: longest });
    expect(await client.frame('pong')).toEqual({ type: 'pong', request_id: longest });
    for (const request_id of [`${longest}x`, 7, {}, ['a'], true]) client.send({ type: 'ping', request_id });
    for (const error of await client.many('error', 5))
      expect(error).toMatchObject({ code: 'VALIDATION_ERROR', field: 'request_id', retryable: false });
  });
});

describe('frames on a real socket', () => {
  it('send_message is stored, a retry is replayed, another body is refused', async () => {
    const message = { room_id: roomId, content: 'hello', client_message_id: 'c1' };
    const first = await ask('send_message', message);
    expect(first).toMatchObject({ type: 'message.accepted', room_id: roomId, seq: 1 });
    expect(first).not.toHaveProperty('replayed');
    const again = await ask('send_message', { data: message });
    expect(again).toEqual({ ...first, request_id: again['request_id'], replayed: true });
    expect(await ask('send_message', { ...message, content: 'other' })).toMatchObject({ code: 'IDEMPOTENCY_MISMATCH' });
    const { body } = await tenant.as('bob').get<unknown[]>(`/rooms/${roomId}/messages`);
    expect(body).toMatchObject([{ message_id: first['message_id'], content: 'hello', sender_id: 'alice' }]);
  });

  it('ack and read move the cursors that REST shows', async () => {
    const { seq } = await ask('send_message', { room_id: roomId, content: 'to be read' });
    const position = { room_id: roomId, seq };
    expect(await ask('ack', position)).toMatchObject({ type: 'ack.received', ...position, user_id: 'alice' });
    expect(await ask('read', { data: position })).toMatchObject({ type: 'read.received', ...position });
    const { body } = await tenant.as('alice').get<{ rooms: unknown[] }>('/rooms');
    const cursors = { room_id: roomId, last_acked_seq: seq, last_read_seq: seq };
    expect(body.rooms).toContainEqual(expect.objectContaining(cursors));
  });

  it('ping is answered', async () => {
    expect(await ask('ping', {})).toEqual({ type: 'pong', request_id: expect.any(String) });
  });

  it('answers leave in the order of the frames', async () => {
    for (let i = 0; i < 4; i++) {
      client.send({ type: 'send_message', room_id: roomId, content: `m${i}`, request_id: `s${i}` });
      client.send({ type: 'ping', request_id: `p${i}` });
    }
    await client.many('pong', 4);
    const answers = client.frames.flatMap((frame) => (frame['request_id'] === undefined ? [] : [frame['request_id']]));
    expect(answers).toEqual(['s0', 'p0', 's1', 'p1', 's2', 'p2', 's3', 'p3']);
  });

  it.each<[string, string, object, object]>([
    ['an unknown type', 'shout', {}, { code: 'VALIDATION_ERROR', field: 'type' }],
    ['an unknown field', 'ping', { extra: 1 }, { code: 'VALIDATION_ERROR', field: 'extra' }],
    ['a room that does not exist', 'send_message', { room_id: 'room_x', content: 'x' }, { code: 'NOT_FOUND' }],
    ['a seq beyond the last', 'ack', { seq: 9999 }, { code: 'VALIDATION_ERROR', field: 'seq' }],
  ])('%s is refused, and the socket stays', async (_, type, fields, expected) => {
    const room = type === 'ack' ? { room_id: roomId } : {};
    expect(await ask(type, { ...room, ...fields })).toMatchObject({ type: 'error', retryable: false, ...expected });
    expect(await ask('ping', {})).toMatchObject({ type: 'pong' });
  });

  it.each(['', '{', '[]', '42', `{"type":"ping","a":${'['.repeat(5000)}}`, '{"type":"ping","__proto__":{}}'])(
    'what is no frame is refused: %.40s',
    async (text) => {
      client.ws.send(text);
      expect(await client.frame('error')).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false });
      expect(client.isOpen).toBe(true);
    },
  );

  it('a binary frame gets an error, then 1003', async () => {
    client.ws.send(Buffer.from('{"type":"ping"}'));
    expect(await client.ended()).toMatchObject({ code: 1003 });
    expect(client.frames.at(-1)).toMatchObject({ type: 'error' });
  });

  it("the tenant's messages a second hold, nothing beyond is stored, and other frames go on", async () => {
    const slow = await app.tenant({ requests_per_second: null, ws_messages_per_second: 2 });
    const room = (await createRoom(slow.as('alice'), 'group')).room_id;
    const own = await app.open(slow);
    const answers = await Promise.all(
      [1, 2, 3, 4].map((n) => ask('send_message', { room_id: room, content: `m${n}` }, own)),
    );
    const refused = answers.filter(({ type }) => type === 'error');
    expect(refused).toHaveLength(2);
    for (const error of refused)
      expect(error).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryable: true, retry_after_ms: expect.any(Number) });
    expect(await ask('ping', {}, own)).toMatchObject({ type: 'pong' });
    const { body } = await slow.as('alice').get<unknown[]>(`/rooms/${room}/messages`);
    expect(body).toHaveLength(2);
    await own.close();
  });
});

describe('frames that come before the checks have passed', () => {
  it('are handled after hello when they came with the upgrade', async () => {
    const raw = await RawSocket.upgraded(app.url, keyOf(tenant), '/ws', clientFrame(1, '{"type":"early"}'));
    const hello = JSON.parse((await raw.frame()).payload.toString()) as { type: string; connection_id: string };
    expect(hello.type).toBe('hello');
    raw.write(clientFrame(9, 'done?'));
    while ((await raw.frame()).opcode !== 10);
    const connection = app.handler.opening.find(({ id }) => id === hello.connection_id);
    expect(connection && app.handler.textsOf(connection)).toEqual(['{"type":"early"}']);
    raw.destroy();
  });

  it('are never handled when the upgrade is refused', async () => {
    const before = app.handler.messages.length;
    for (const target of ['/ws', '/ws?close_codes=1']) {
      const raw = await RawSocket.open(app.url);
      raw.write(
        Buffer.concat([
          upgradeRequest({ 'X-Api-Key': 'chatapi_no', 'X-User-Id': 'eve' }, target),
          clientFrame(1, '{"type":"early"}'),
        ]),
      );
      await raw.head();
      raw.write(clientFrame(8, Buffer.from([3, 232])));
      await raw.ended();
    }
    expect(app.handler.messages).toHaveLength(before);
  });

  it('wait until every handler is ready', async () => {
    let open = (): void => undefined;
    app.handler.gate = new Promise((resolve) => (open = resolve));
    const client = await app.open(tenant);
    const connection = await app.handler.of(client);
    client.send({ type: 'one' });
    client.send({ type: 'two' });
    // Another client's round trip: had the frames been read, they would be here.
    app.handler.gate = Promise.resolve();
    const other = await app.open(tenant, 'bob');
    await other.settled();
    expect(app.handler.textsOf(connection)).toEqual([]);
    open();
    await client.settled();
    expect(app.handler.textsOf(connection)).toEqual(['{"type":"one"}', '{"type":"two"}']);
    await Promise.all([client.close(), other.close()]);
  });
});

import type { TestTenant } from '../support/app';
import { createRoom } from '../support/rooms';
import type { ServerFrame, WsClient } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: SocketApp;
let tenant: TestTenant;
let client: WsClient;
let roomId: string;
let requests = 0;

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
  const request_id = `request-${++requests}`;
  from.send({ type, request_id, ...fields });
  return from.frame((frame) => frame['request_id'] === request_id);
}

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
    expect(body.rooms).toEqual([expect.objectContaining({ last_acked_seq: seq, last_read_seq: seq })]);
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

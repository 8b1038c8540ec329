import { decodeId, newUuid } from '../../src/common/ids';
import { RoomFeed, type StreamPart, toWire } from '../../src/realtime';
import type { TestTenant } from '../support/app';
import { createRoom } from '../support/rooms';
import type { WsClient } from '../support/ws/client';
import { type SocketApp, startSocketApp } from '../support/ws/socket-app';

let app: SocketApp;
let tenant: TestTenant;

beforeAll(async () => {
  app = await startSocketApp();
  tenant = await app.tenant();
});
afterAll(() => app.close());

const STREAM = ['message.stream.start', 'message.stream.delta', 'message.stream.end', 'message.stream.error'];

/** A room with alice and bob, and a message that is being written in it. */
async function writing() {
  const { room_id } = await createRoom(tenant.as('alice'), 'group', ['bob']);
  const messageId = newUuid();
  const feed = app.nest.get(RoomFeed);
  const ids = { room_id, message_id: `msg_${messageId.replaceAll('-', '')}` };
  const tell = (part: StreamPart): void =>
    feed.streamPart(uuidOf('tenant', tenant.tenantId), uuidOf('room', room_id), messageId, part);
  /** A connection that sits in the room. */
  const open = async (userId: string): Promise<WsClient> => {
    const client = await app.open(tenant, userId);
    // Its sync, or the room's making that comes by itself.
    await client.frame(({ room_id: room }) => room === room_id);
    return client;
  };
  return { ids, tell, open };
}

function uuidOf(kind: 'tenant' | 'room', id: string): string {
  const uuid = decodeId(kind, id);
  if (uuid === undefined) throw new Error(`${id} is no id`);
  return uuid;
}

function streamed(client: WsClient): unknown[] {
  return client.frames.filter(({ type }) => STREAM.includes(type));
}

const START: StreamPart = { type: 'start', senderId: 'agent_default' };
const END: StreamPart = { type: 'end', seq: 7, status: 'completed', finishReason: 'stop' };

it('the members of a room see a message being written', async () => {
  const { ids, tell, open } = await writing();
  const clients = [await open('alice'), await open('bob')];
  const other = await app.open(tenant, 'carol');
  for (const part of [START, { type: 'delta', text: 'Hel', index: 0 }, { type: 'delta', text: 'lo', index: 1 }, END])
    tell(part as StreamPart);
  for (const client of clients) {
    await client.frame('message.stream.end');
    expect(streamed(client)).toEqual([
      { type: 'message.stream.start', ...ids, sender_id: 'agent_default' },
      { type: 'message.stream.delta', ...ids, text: 'Hel', index: 0 },
      { type: 'message.stream.delta', ...ids, text: 'lo', index: 1 },
      { type: 'message.stream.end', ...ids, seq: 7, status: 'completed', finish_reason: 'stop' },
    ]);
  }
  await other.settled();
  expect(streamed(other)).toEqual([]);
});

it('and that it failed', async () => {
  const { ids, tell, open } = await writing();
  const client = await open('alice');
  tell({ type: 'error', code: 'MODEL_ERROR', message: 'The model answered 500' });
  expect(await client.frame('message.stream.error')).toEqual({
    type: 'message.stream.error',
    ...ids,
    code: 'MODEL_ERROR',
    message: 'The model answered 500',
  });
});

it('a client that is slow gets what waited as one delta, before the end', async () => {
  const { ids, tell, open } = await writing();
  const client = await open('alice');
  const connection = await app.handler.of(client);
  client.ws.pause();
  const typing = { type: 'typing', room_id: ids.room_id, user_id: 'x'.repeat(90_000), action: 'start' };
  // More than the system takes for a client that does not read.
  for (let n = 0; n < 100; n++) connection.sendHistory(toWire(typing));
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  tell(START);
  for (let index = 0; index < 500; index++) tell({ type: 'delta', text: `${index} `, index });
  tell(END);
  client.ws.resume();
  await client.frame('message.stream.end');
  expect(streamed(client)).toEqual([
    { type: 'message.stream.start', ...ids, sender_id: 'agent_default' },
    {
      type: 'message.stream.delta',
      ...ids,
      text: Array.from({ length: 500 }, (_, n) => `${n} `).join(''),
      index: 499,
    },
    { type: 'message.stream.end', ...ids, seq: 7, status: 'completed', finish_reason: 'stop' },
  ]);
});

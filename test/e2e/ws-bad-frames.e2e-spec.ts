import { Clock } from '../../src/common/time';
import type { TestTenant } from '../support/app';
import { send } from '../support/messages';
import { bodyOf, createRoom } from '../support/rooms';
import { CLIENT_SCHEMAS } from '../support/ws/asyncapi';
import type { WsClient } from '../support/ws/client';
import { clientFrame, RawSocket } from '../support/ws/raw';
import { keyOf, type SocketApp, startSocketApp } from '../support/ws/socket-app';
import { until } from '../support/poll';

/** What no field of a frame takes. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  string: [7, true, {}, ['a'], '\0'],
  integer: ['1', -1, 1.5, 1e300, true, {}, [1]],
  object: [7, true, [], '[]', '{'],
  boolean: [7, 'yes', {}, []],
};
const NO_MESSAGE = `msg_${'0'.repeat(12)}7${'0'.repeat(3)}8${'0'.repeat(15)}`;
/** What a frame needs beside its room. */
const NEEDED: Readonly<Record<string, object>> = {
  send_message: { content: 'x' },
  ack: { seq: 0 },
  read: { seq: 0 },
  react: { message_id: NO_MESSAGE, key: 'x', on: true },
};

let app: SocketApp;
let tenant: TestTenant;
let roomId: string;
let client: WsClient;
/** Beside the hostile client there is this one: it gets everything, in order, and no error. */
let healthy: WsClient;
let sent = 0;

beforeAll(async () => {
  app = await startSocketApp();
  tenant = await app.tenant({ requests_per_second: null, ws_messages_per_second: null });
  roomId = (await createRoom(tenant.as('alice'), 'group', ['healthy'])).room_id;
  healthy = await app.open(tenant, 'healthy');
  await healthy.ask({ type: 'ping' });
});
beforeEach(async () => {
  client = await app.open(tenant);
});
afterEach(async () => {
  await send(tenant.as('alice'), roomId, { content: `${++sent}` });
  const messages = await healthy.many('message', sent);
  expect(messages.map(({ content }) => content)).toEqual(messages.map((_, i) => `${i + 1}`));
  expect(healthy.got('error')).toEqual([]);
  expect(healthy.isOpen).toBe(true);
  if (client.isOpen) await client.close();
});
afterAll(() => app.close());

/** All that is wrong with the fields of a frame, one at a time. */
function faultsOf(type: string): [string, object][] {
  const { properties, required } = CLIENT_SCHEMAS[type] ?? { properties: {}, required: [] };
  const fields = Object.entries(properties).filter(([name]) => name !== 'type' && name !== 'request_id');
  const good = { room_id: roomId, seq: 0, content: 'x', message_id: NO_MESSAGE, key: 'x', on: true };
  const whole = Object.fromEntries(Object.entries(good).filter(([name]) => name in properties));
  return fields.flatMap(([name, schema]): [string, object][] => [
    ...(WRONG[schema.type as string] ?? []).map((value): [string, object] => [name, { ...whole, [name]: value }]),
    ...(required.includes(name) ? [null, undefined].map((v): [string, object] => [name, { ...whole, [name]: v }]) : []),
  ]);
}

describe('fields of every frame', () => {
  it.each(Object.keys(CLIENT_SCHEMAS))('%s: what is missing or wrong is named, flat and nested', async (type) => {
    for (const [field, fields] of faultsOf(type))
      for (const frame of [
        { type, ...fields },
        { type, data: fields },
      ]) {
        const answer = await client.ask(frame);
        expect({ frame, answer }).toEqual({ frame, answer: expect.objectContaining({ type: 'error', field }) });
        expect(answer).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false });
      }
    const answer = await client.ask({ type, ...faultsOf(type)[0]?.[1], no_such_field: 1 });
    expect(answer).toMatchObject({ code: 'VALIDATION_ERROR' });
  });

  it('a room that nobody sees is answered the same, whatever the frame; one that others see is refused', async () => {
    const theirs = await createRoom(tenant.as('bob'), 'group');
    const other = await app.tenant();
    const foreign = await createRoom(other.as('alice'), 'group');
    const asked = Object.keys(CLIENT_SCHEMAS).filter((type) => 'room_id' in (CLIENT_SCHEMAS[type]?.properties ?? {}));
    for (const type of asked.filter((each) => each !== 'sync')) {
      const about = { type, ...NEEDED[type] };
      for (const room_id of [foreign.room_id, 'room_0', 'nonsense', '__proto__'])
        expect(await client.ask({ ...about, room_id })).toMatchObject({ type: 'error', code: 'NOT_FOUND' });
      expect(await client.ask({ ...about, room_id: theirs.room_id })).toMatchObject({
        code: 'AUTHORIZATION_ERROR',
        retryable: false,
      });
    }
    const rooms = [tenant.as('bob').get<unknown[]>(`/rooms/${theirs.room_id}/messages`)];
    rooms.push(other.as('alice').get<unknown[]>(`/rooms/${foreign.room_id}/messages`));
    for (const { body } of await Promise.all(rooms)) expect(body).toEqual([]);
  });

  it('limits of a message hold to the character, and nothing beyond them is stored', async () => {
    const { room_id } = await createRoom(tenant.as('alice'), 'group');
    const ask = (fields: object) => client.ask({ type: 'send_message', room_id, content: 'x', ...fields });
    const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
    const good: object[] = [
      { content: '😀'.repeat(32_768) },
      { client_message_id: '😀'.repeat(64) },
      { meta: { a: 'x'.repeat(16 * 1024 - 8) } },
      { meta: '{"a":1}' },
    ];
    for (const fields of good) expect((await ask(fields)).type).toBe('message.accepted');
    const bad: [string, object][] = [
      ['content', { content: '' }],
      ['content', { content: 'x'.repeat(32_769) }],
      ['content', { content: 'a\0b' }],
      ['client_message_id', { client_message_id: 'x'.repeat(65) }],
      ['client_message_id', { client_message_id: '' }],
      ['meta', { meta: { a: 'x'.repeat(16 * 1024 - 7) } }],
      ['meta', { meta: { 'a\0': 1 } }],
    ];
    for (const [field, fields] of bad)
      expect(await ask(fields)).toMatchObject({ type: 'error', code: 'VALIDATION_ERROR', field });
    expect(await ask({ content: '\ud800' })).toMatchObject({ code: 'VALIDATION_ERROR', field: 'content' });
    client.send({ type: 'send_message', room_id, content: 'x', meta: { a: nested(40) } });
    expect(await client.frame(({ type, request_id }) => type === 'error' && request_id === undefined)).toMatchObject({
      code: 'VALIDATION_ERROR',
    });
    expect(bodyOf(await tenant.as('alice').get<unknown[]>(`/rooms/${room_id}/messages`))).toHaveLength(good.length);
  });
});

describe('texts that are no frame', () => {
  it.each([
    '',
    ' ',
    '{',
    '[]',
    '[{"type":"ping"}]',
    '42',
    'null',
    'true',
    '"ping"',
    '{"type":"ping"}{"type":"ping"}',
    '{"type":"ping",}',
    "{'type':'ping'}",
    '{"type":"ping"',
    '\ufeff{"type":"ping"}',
    'NaN',
    '{}',
    '{"type":null}',
    '{"type":{}}',
    '{"type":["ping"]}',
    '{"type":""}',
    '{"type":"PING"}',
    '{"type":"ping "}',
    '{"type":"toString"}',
    '{"type":"__proto__"}',
    '{"type":"pi\\u0000ng"}',
    '{"type":"\\ud800"}',
    '{"type":"ping","__proto__":{"a":1}}',
    '{"type":"ping","constructor":{"prototype":{}}}',
    '{"type":"ping","data":[]}',
    '{"type":"ping","data":"{}"}',
    `{"type":"ping","a":${'['.repeat(5000)}${']'.repeat(5000)}}`,
    `${'{"type":'.repeat(5000)}1${'}'.repeat(5000)}`,
    '['.repeat(200_000),
  ])('%.40s: one error each, and the socket stays', async (text) => {
    client.ws.send(text);
    await client.ask({ type: 'ping' });
    expect(client.got('error')).toEqual([
      expect.objectContaining({ code: 'VALIDATION_ERROR', retryable: false, message: expect.any(String) }),
    ]);
    expect(client.got('pong')).toHaveLength(1);
  });

  it('fragments, one byte each and with pings between them, are one frame', async () => {
    const raw = await RawSocket.upgraded(app.url, keyOf(tenant, 'fragments'));
    const bytes = Buffer.from('{"type":"ping","request_id":"é😀"}');
    const last = bytes.length - 1;
    bytes.forEach((byte, i) => {
      raw.write(clientFrame(i === 0 ? 1 : 0, Buffer.from([byte]), { fin: i === last }));
      if (i % 10 === 0 && i < last) raw.write(clientFrame(9, 'ping'));
    });
    for (;;) {
      const { opcode, payload } = await raw.frame();
      if (opcode === 8) throw new Error('the fragments closed the socket');
      if (opcode !== 1) continue;
      const frame = JSON.parse(payload.toString()) as { type: string };
      if (frame.type === 'pong') {
        expect(frame).toEqual({ type: 'pong', request_id: 'é😀' });
        break;
      }
    }
    raw.destroy();
  });
});

describe('too fast', () => {
  it('more than 100 other frames a second are refused, and do nothing', async () => {
    for (let i = 0; i < 150; i++) client.send({ type: 'ping' });
    const errors = await client.many('error', 1);
    expect(errors[0]).toMatchObject({
      code: 'RATE_LIMIT_EXCEEDED',
      retryable: true,
      retry_after_ms: expect.any(Number),
    });
    await until(
      async () => client.got('error').length + client.got('pong').length,
      (n) => n === 150,
    );
    expect(client.got('pong').length).toBeGreaterThanOrEqual(100);
  });

  it('4008 closes a client that goes on for 10 s, after telling it', async () => {
    const clock = app.nest.get(Clock);
    let ahead = 0;
    const spied = jest.spyOn(clock, 'monotonicMs').mockImplementation(() => performance.now() + ahead);
    try {
      const burst = (): void => Array.from({ length: 110 }).forEach(() => client.send({ type: 'ping' }));
      for (; ahead < 10_000; ahead += 1000) {
        burst();
        await client.settled();
      }
      expect(client.isOpen).toBe(true);
      burst();
      expect(await client.ended()).toMatchObject({ code: 4008 });
      expect(client.frames.at(-1)).toMatchObject({
        type: 'error',
        code: 'RATE_LIMIT_EXCEEDED',
        retryable: true,
        retry_after_ms: 10_000,
      });
    } finally {
      spied.mockRestore();
    }
  });

  it('a changed ws_messages_per_second holds for connections that are open', async () => {
    const slow = await app.tenant({ requests_per_second: null, ws_messages_per_second: 0 });
    const room_id = (await createRoom(slow.as('alice'), 'group')).room_id;
    const own = await app.open(slow);
    const send = () => own.ask({ type: 'send_message', room_id, content: 'x' });
    expect(await send()).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    await app.master.patch(`/admin/tenants/${slow.tenantId}`, { limits: { ws_messages_per_second: null } });
    await until(send, ({ type }) => type === 'message.accepted');
    await app.master.patch(`/admin/tenants/${slow.tenantId}`, { limits: { ws_messages_per_second: 0 } });
    await until(send, ({ code }) => code === 'RATE_LIMIT_EXCEEDED');
    await own.close();
  });
});

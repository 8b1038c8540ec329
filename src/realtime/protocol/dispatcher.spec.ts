import { RecordingConnection } from '../../../test/support/realtime/recording-connection';
import { settled, type ProtocolFixture, startProtocol } from '../../../test/support/realtime/protocol-fixture';
import { type PendingSend, TestGateway } from '../../../test/support/realtime/test-gateway';
import type { Frame } from '../transport/connection';

let gateway: TestGateway;
let harness: ProtocolFixture;
let connection: RecordingConnection;

beforeEach(async () => {
  harness = await startProtocol(TestGateway);
  gateway = harness.gateway(TestGateway);
  connection = new RecordingConnection();
});

const send = (message: unknown): void => harness.send(connection, message);
const sendTo = (room_id: string, content: string): void => send({ type: 'send_message', room_id, content });
const ping = (request_id: string): void => send({ type: 'ping', request_id });
const pong = (request_id: string): Frame => ({ type: 'pong', request_id });

function pending(index: number): PendingSend {
  const found = gateway.sends[index];
  if (!found) throw new Error(`no send ${index}`);
  return found;
}

describe('frames that are fine', () => {
  it('are answered with the reply and its request id, flat and nested', () => {
    send({ type: 'ack', room_id: 'r', seq: 3, request_id: 'a' });
    send({ type: 'ack', data: { room_id: 'r', seq: 4, request_id: 'b' } });
    send({ type: 'ack', data: { room_id: 'r', seq: 5 } });
    expect(connection.frames).toEqual([
      { type: 'ack.received', request_id: 'a', room_id: 'r', seq: 3 },
      { type: 'ack.received', request_id: 'b', room_id: 'r', seq: 4 },
      { type: 'ack.received', room_id: 'r', seq: 5 },
    ]);
  });

  it('get no answer where they have none', () => {
    send({ type: 'typing.start', room_id: 'r' });
    expect(gateway.started).toEqual(['typing r']);
    expect(connection.frames).toEqual([]);
  });

  it('have a caller of their own', () => {
    send({ type: 'send_message', room_id: 'r', content: 'a', request_id: 'mine' });
    sendTo('r', 'b');
    const [first, second] = [pending(0).context.caller, pending(1).context.caller];
    first.replayed = true;
    expect(first).toMatchObject({ requestId: 'mine', userId: 'alice', tenantId: connection.tenantId });
    expect(second.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(second.replayed).toBe(false);
    expect(connection.caller.replayed).toBe(false);
  });

  it('take null for an optional field as absent', () => {
    send({ type: 'send_message', room_id: 'r', content: 'a', meta: null });
    expect(pending(0).frame).toEqual({ room_id: 'r', content: 'a' });
  });
});

describe('frames that are refused', () => {
  it.each<[string, unknown, object]>([
    ['bad JSON', '{', { message: expect.stringContaining('not valid JSON') }],
    [
      'an unknown type',
      { type: 'shout', request_id: 'a' },
      { field: 'type', message: 'Unknown frame type: shout', request_id: 'a' },
    ],
    ['a type of Object', { type: 'constructor' }, { field: 'type' }],
    [
      'a missing field',
      { type: 'ack', seq: 1, request_id: 'a' },
      { field: 'room_id', message: 'room_id is required', request_id: 'a' },
    ],
    ['a wrong type', { type: 'ack', room_id: 'r', seq: '1' }, { field: 'seq', message: 'seq must be a whole number' }],
    ['an unknown field', { type: 'ping', extra: 1 }, { field: 'extra', message: 'Unknown field: extra' }],
    ['an unknown nested one', { type: 'ping', data: { extra: 1 } }, { field: 'extra' }],
    ['NUL in a field', { type: 'send_message', room_id: 'r', content: '\0' }, { field: 'content' }],
    ['a lone surrogate in a field', '{"type":"send_message","room_id":"r","content":"\\udc00"}', { field: 'content' }],
    [
      'NUL in a key of meta',
      { type: 'send_message', room_id: 'r', content: 'a', meta: { '\0': 1 } },
      { field: 'meta' },
    ],
    [
      'content that is too long',
      { type: 'send_message', room_id: 'r', content: 'x'.repeat(1001) },
      { field: 'content' },
    ],
  ])('%s', (_, message, expected) => {
    send(message);
    expect(connection.frames).toEqual([
      { type: 'error', code: 'VALIDATION_ERROR', message: expect.any(String), retryable: false, ...expected },
    ]);
    expect(gateway.started).toEqual([]);
  });

  it.each<[string, object]>([
    ['away', { code: 'SERVICE_UNAVAILABLE', message: 'The database is away', retryable: true, retry_after_ms: 1000 }],
    ['running', { code: 'CONFLICT', message: 'Still running', retryable: true, retry_after_ms: 2000 }],
    ['taken', { code: 'CONFLICT', message: 'Taken', retryable: false, field: 'room_id' }],
  ])('by the operation: %s', (room_id, expected) => {
    send({ type: 'read', room_id, request_id: 'a' });
    expect(connection.frames).toEqual([{ type: 'error', request_id: 'a', ...expected }]);
    expect(harness.log.lines).toEqual([]);
  });

  it.each(['fault', 'cycle'])('by a fault of ours (%s): fixed text, one log line under the same id', (room_id) => {
    send({ type: 'read', room_id });
    const [frame] = connection.frames;
    expect(frame).toEqual({
      type: 'error',
      code: 'INTERNAL_ERROR',
      message: 'Internal server error',
      retryable: true,
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(harness.log.lines).toEqual([
      {
        level: 'error',
        message: 'frame failed',
        fields: expect.objectContaining({
          request_id: frame?.['request_id'],
          connection_id: connection.id,
          frame: 'read',
        }),
      },
    ]);
  });

  it('by a send that fails later', async () => {
    sendTo('r', 'a very private text');
    pending(0).fail(new Error('broken'));
    await settled();
    expect(connection.frames).toMatchObject([{ type: 'error', code: 'INTERNAL_ERROR' }]);
    expect(JSON.stringify(harness.log.lines)).not.toContain('private');
  });

  it('binary messages get an error and 1003, and nothing after them is taken', () => {
    send(Buffer.from('{"type":"ping"}'));
    ping('late');
    expect(connection.events).toEqual([
      { type: 'error', code: 'VALIDATION_ERROR', message: expect.stringContaining('binary'), retryable: false },
      { close: 1003, reason: 'binary message' },
    ]);
  });
});

describe('order', () => {
  it('answers in the order of the frames, whatever ends first', async () => {
    sendTo('r', 'a');
    sendTo('r', 'b');
    ping('p');
    send('{');
    expect(gateway.started).toEqual(['a', 'b']);
    pending(1).accept();
    await settled();
    expect(connection.frames).toEqual([]);
    pending(0).accept();
    await settled();
    expect(connection.frames.map(({ type, note }) => note ?? type)).toEqual(['a', 'b', 'pong', 'error']);
  });

  it('does not let acks and typing wait for sends', () => {
    sendTo('r', 'a');
    send({ type: 'ack', room_id: 'r', seq: 1 });
    send({ type: 'typing.start', room_id: 'r' });
    expect(gateway.started).toEqual(['a', 'ack 1', 'typing r']);
  });

  it('lets subscribe wait for the sends of its room alone', async () => {
    sendTo('r', 'a');
    send({ type: 'subscribe', room_id: 'r' });
    send({ type: 'subscribe', room_id: 'other' });
    sendTo('r', 'b');
    expect(gateway.started).toEqual(['a', 'subscribe other']);
    pending(0).fail(new Error('also an end'));
    await settled();
    expect(gateway.started).toEqual(['a', 'subscribe other', 'subscribe r', 'b']);
  });

  it('answers what was admitted before a binary message, then closes', async () => {
    sendTo('r', 'a');
    send(Buffer.alloc(1));
    expect(connection.events).toEqual([]);
    pending(0).accept();
    await settled();
    expect(connection.events).toMatchObject([{ type: 'message.accepted' }, { type: 'error' }, { close: 1003 }]);
  });
});

describe('64 outstanding frames', () => {
  beforeEach(() => {
    for (let i = 0; i < 64; i++) sendTo('r', `m${i}`);
  });

  it('pause the reading until one is answered', async () => {
    expect(connection.paused).toBe(true);
    pending(5).accept();
    await settled();
    // The first still waits, and the sixth behind it.
    expect(connection.paused).toBe(true);
    pending(0).accept();
    await settled();
    expect(connection.paused).toBe(false);
    expect(connection.frames).toMatchObject([{ note: 'm0' }]);
  });

  it('keep what had been read already, and take it in its order', async () => {
    ping('p');
    sendTo('r', 'late');
    sendTo('r', 'later');
    expect(gateway.started).toHaveLength(64);
    for (const { accept } of gateway.sends.slice(0, 3)) accept();
    await settled();
    expect(connection.frames.map(({ note }) => note)).toEqual(['m0', 'm1', 'm2']);
    expect(gateway.started.slice(64)).toEqual(['late', 'later']);
    expect(connection.paused).toBe(true);
    pending(3).accept();
    await settled();
    expect(connection.paused).toBe(false);
    for (const { accept } of gateway.sends) accept();
    await settled();
    expect(connection.frames.slice(-3)).toEqual([
      pong('p'),
      { type: 'message.accepted', note: 'late' },
      { type: 'message.accepted', note: 'later' },
    ]);
  });

  it('are forgotten when the client goes', async () => {
    sendTo('r', 'late');
    connection.over();
    for (const { accept } of [...gateway.sends]) accept();
    await settled();
    sendTo('r', 'too late');
    expect(gateway.started).toHaveLength(64);
    expect(connection.events).toEqual([]);
  });
});

describe('rates', () => {
  const codes = (): unknown[] => connection.take().map(({ code, type }) => code ?? type);

  it('let the tenant say how many messages a second, and others 100', () => {
    connection = new RecordingConnection({});
    for (let i = 0; i < 12; i++) sendTo('r', `m${i}`);
    expect(gateway.started).toHaveLength(10);
    for (let i = 0; i < 101; i++) send({ type: 'typing.start', room_id: 'r' });
    expect(gateway.started).toHaveLength(110);
  });

  it('answer with retry_after_ms and do nothing', () => {
    connection = new RecordingConnection({ ws_messages_per_second: 0 });
    harness.clock.advance(5000);
    send({ type: 'send_message', room_id: 'r', content: 'a', request_id: 'x' });
    expect(connection.frames).toEqual([
      {
        type: 'error',
        code: 'RATE_LIMIT_EXCEEDED',
        message: 'Rate limit exceeded. Try again in 1 second',
        request_id: 'x',
        retryable: true,
        retry_after_ms: 1000,
      },
    ]);
    expect(gateway.started).toEqual([]);
  });

  it('count bad frames as others', () => {
    for (let i = 0; i < 50; i++) send('{');
    for (let i = 0; i < 50; i++) send({ type: 'shout' });
    expect(new Set(codes())).toEqual(new Set(['VALIDATION_ERROR']));
    ping('p');
    expect(codes()).toEqual(['RATE_LIMIT_EXCEEDED']);
    harness.clock.advance(1000);
    ping('p');
    expect(codes()).toEqual(['pong']);
  });

  it('hold from the next frame on when they change', () => {
    connection = new RecordingConnection({ ws_messages_per_second: 0 });
    sendTo('r', 'a');
    ({ caller: connection.caller } = new RecordingConnection({ ws_messages_per_second: 5 }));
    sendTo('r', 'b');
    expect(gateway.started).toEqual(['b']);
  });

  it('close with 4008 who goes on for ten seconds, with the error before it', () => {
    for (let second = 0; second <= 10 && connection.isOpen; second++) {
      connection.take();
      for (let i = 0; i < 101; i++) ping('p');
      harness.clock.advance(1000);
    }
    expect(connection.events.slice(-2)).toEqual([
      expect.objectContaining({ type: 'error', code: 'RATE_LIMIT_EXCEEDED', retry_after_ms: 10_000, retryable: true }),
      { close: 4008, reason: 'too fast' },
    ]);
    expect(connection.paused).toBe(true);
  });
});

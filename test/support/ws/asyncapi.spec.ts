import { readFileSync } from 'node:fs';
import { Parser } from '@asyncapi/parser';
import { CLIENT_FRAMES } from '../../../src/realtime/transport/rooms-endpoint';
import { ASYNCAPI_FILE, checkFrame, documentedFrames } from './asyncapi';

describe('docs/asyncapi.json', () => {
  const text = readFileSync(ASYNCAPI_FILE, 'utf8');

  it('is a valid AsyncAPI 3 document', async () => {
    const { document, diagnostics } = await new Parser().parse(text);
    // A note that 3.1 exists is no fault.
    expect(diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([]);
    expect(document?.version()).toBe('3.0.0');
    const addresses = document
      ?.channels()
      .all()
      .map((channel) => channel.address());
    expect(addresses).toEqual(['/ws', '/ws/chat']);
  });

  it('has every client frame that is built, and the frames of the contract', () => {
    expect(documentedFrames('client')).toEqual(CLIENT_FRAMES);
    expect(documentedFrames('server')).toEqual(
      expect.arrayContaining([
        ...['hello', 'error', 'pong', 'server.shutdown', 'message.accepted', 'ack.received', 'read.received'],
        ...['message', 'message.updated', 'message.deleted', 'read.update', 'typing'],
        ...['room.updated', 'room.deleted', 'member.joined', 'member.left', 'member.updated'],
        ...['presence.update', 'presence.snapshot'],
      ]),
    );
  });

  it('has the frames and events of a chat', () => {
    expect(documentedFrames('client', 'chat')).toEqual(['message', 'stop', 'resume', 'ping']);
    expect([...documentedFrames('server', 'chat')].sort()).toEqual([
      ...['connection_established', 'error', 'message_received', 'message_stream_ended', 'message_stream_reasoning'],
      ...['message_stream_started', 'message_stream_token', 'pong', 'server_shutdown', 'stopped', 'user_created'],
    ]);
  });

  it('tells error codes and close codes', () => {
    for (const told of ['`SERVICE_UNAVAILABLE`', '| 4009 |', '| 1012 |']) expect(text).toContain(told);
  });

  it('lists all ways to prove who connects', () => {
    const { securitySchemes } = (JSON.parse(text) as { components: { securitySchemes: object } }).components;
    expect(Object.keys(securitySchemes)).toEqual(['apiKey', 'bearer', 'token', 'apiKeyInUrl']);
  });
});

describe('checkFrame', () => {
  const ack = { type: 'ack', room_id: 'room_1', seq: 1 };

  it.each([
    ['client', ack],
    ['client', { ...ack, request_id: 'a' }],
    ['client', { type: 'ack', data: { room_id: 'room_1', seq: 1 }, request_id: 'a' }],
    ['client', { type: 'ping' }],
    ['server', { type: 'pong', request_id: 'a' }],
    ['server', { type: 'error', code: 'NOT_FOUND', message: 'Room not found', retryable: false }],
    ['server', { type: 'presence.snapshot', user_ids: ['bob'] }],
  ] as const)('takes what the %s may send: %j', (direction, frame) => {
    expect(() => checkFrame(frame, direction)).not.toThrow();
  });

  it.each([
    ['client', { type: 'shout' }, 'no documented frame'],
    ['client', { type: 'pong' }, 'no documented frame'],
    ['server', { type: 'ping' }, 'no documented frame'],
    ['server', [], 'no documented frame'],
    ['client', { ...ack, extra: 1 }, 'must NOT have additional properties'],
    ['client', { type: 'ack', data: { ...ack, extra: 1 } }, 'must NOT have additional properties'],
    ['client', { type: 'ack', seq: 1 }, "required property 'room_id'"],
    ['server', { type: 'pong', data: {} }, 'must NOT have additional properties'],
    ['server', { type: 'error', code: 'OOPS', message: '', retryable: false }, 'allowed values'],
    ['server', { type: 'presence.snapshot', user_ids: [1] }, 'must be string'],
  ] as const)('refuses of the %s: %j', (direction, frame, message) => {
    expect(() => checkFrame(frame, direction)).toThrow(message);
  });
});

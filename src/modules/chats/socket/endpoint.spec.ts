import { CHAT } from '../../../../test/support/chats/fake-streams';
import { explorerOf } from '../../../../test/support/providers';
import { forbidden, notFound } from '../../../common/errors';
import { Caller } from '../../../platform/auth';
import { SocketEndpoints } from '../../../realtime/transport';
import type { Chat } from '../contract';
import type { ChatsService } from '../chats/chats.service';
import { ChatEndpoint } from './endpoint';

const POLICY = { tenantId: CHAT.tenantId, status: 'active', limits: {}, settings: {} } as const;
const callerOf = (user?: string, kind: 'key' | 'token' = 'key'): Caller =>
  new Caller(kind, 'request', POLICY, user, 'key', ['chat']);

/** One chat, of alice. */
const chats: Partial<ChatsService> = {
  getChat: (caller: Caller, chatId: string | undefined): Promise<Chat> => {
    if (chatId !== CHAT.chatId) return Promise.reject(notFound('Chat'));
    const isTheirs = caller.optionalUserId === undefined || caller.optionalUserId === CHAT.userId;
    return isTheirs ? Promise.resolve(CHAT) : Promise.reject(forbidden('This is the chat of another user'));
  },
};

const endpoint = new ChatEndpoint(chats as ChatsService);

function enter(query: string, headers: Record<string, string> = {}, caller = callerOf('alice')): Promise<Caller> {
  return endpoint.enter({ id: 'request', query: new URLSearchParams(query), headers }, caller);
}

const ID = `chat_id=${CHAT.chatId}`;
const MESSAGE = 'msg_019000000000700080000000000000e1';

it('is one of the endpoints', () => {
  const endpoints = new SocketEndpoints(explorerOf(endpoint));
  expect(endpoints.paths).toEqual(['/ws', '/ws/chat']);
  expect(endpoints.find('/ws/chat/')).toBe(endpoint);
});

describe('entering', () => {
  it.each([
    ['by the URL', ID, {}],
    ['by the header', '', { 'x-chat-id': CHAT.chatId }],
    ['the header counts', 'chat_id=other', { 'x-chat-id': CHAT.chatId }],
  ])('%s', async (_, query, headers) => {
    const caller = callerOf('alice');
    await expect(enter(query, headers, caller)).resolves.toBe(caller);
    expect(endpoint.entranceOf(caller)).toEqual({ chat: CHAT, resume: undefined });
  });

  it('a key without a user acts as the user of the chat, and no longer than it is good', async () => {
    const key = callerOf();
    key.endsAtMs = 5;
    const acting = await enter(ID, {}, key);
    expect([acting.userId, acting.endsAtMs, acting.keyId, acting.tenantId]).toEqual(['alice', 5, 'key', CHAT.tenantId]);
    expect(endpoint.entranceOf(acting).chat).toBe(CHAT);
  });

  it.each([
    ['without a chat', '', 400, 'chat_id'],
    ['with an empty one', 'chat_id=', 400, 'chat_id'],
    ['with one that is malformed', 'chat_id=nonsense', 404, undefined],
    ['with one that does not exist', 'chat_id=01900000-0000-7000-8000-0000000000f1', 404, undefined],
    ['with a bad last_event_id', `${ID}&last_event_id=msg_1:2`, 400, 'last_event_id'],
    ['with a bad index in it', `${ID}&last_event_id=${MESSAGE}:-2`, 400, 'last_event_id'],
    ['S22: with an index that no stream writes', `${ID}&last_event_id=${MESSAGE}:01`, 400, 'last_event_id'],
    ['S22: with one beyond the end', `${ID}&last_event_id=${MESSAGE}:2147483648`, 400, 'last_event_id'],
  ])('%s is refused', async (_, query, status, field) => {
    await expect(enter(query)).rejects.toMatchObject({ status, field });
  });

  it('another user is refused', async () => {
    await expect(enter(ID, {}, callerOf('bob', 'token'))).rejects.toMatchObject({ status: 403 });
  });

  it.each([
    ['7', 7],
    ['-1', -1],
    ['2147483647', 2_147_483_647],
  ])('S22: last_event_id says where to go on, as on SSE: %s', async (index, afterIndex) => {
    const caller = await enter(`${ID}&last_event_id=${MESSAGE}:${index}`);
    expect(endpoint.entranceOf(caller).resume).toEqual({ runId: '01900000-0000-7000-8000-0000000000e1', afterIndex });
  });
});

describe('its words', () => {
  const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);

  it('greet, answer, refuse and say goodbye', async () => {
    const caller = await enter(ID);
    expect(endpoint.hello({ connectionId: 'conn_1', caller, epoch: 1, heartbeatMs: 1 })).toEqual({
      event_type: 'connection_established',
      timestamp,
      user_id: 'alice',
      chat_id: CHAT.chatId,
      tenant_id: 'tenant_019000000000700080000000000000a0',
    });
    expect(endpoint.reply('pong', 'r1', {})).toEqual({ event_type: 'pong', timestamp, request_id: 'r1' });
    expect(endpoint.reply('pong', undefined, {})).toEqual({ event_type: 'pong', timestamp });
    expect(endpoint.error(notFound('Chat'), 'r2', 250)).toMatchObject({
      event_type: 'error',
      error_code: 'NOT_FOUND',
      request_id: 'r2',
      details: { retry_after_ms: 250 },
    });
    expect(endpoint.shutdown(20)).toEqual({ event_type: 'server_shutdown', timestamp, reconnect_after_ms: 20 });
  });
});

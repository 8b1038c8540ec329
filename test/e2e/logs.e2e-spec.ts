import { MASTER_KEY, startTestApp, type TestApp } from '../support/app';
import { captureLog } from '../support/recording-log';
import { createRoom, sendAll } from '../support/rooms';

const CONTENT = 'a sentence that nobody else may read';

describe('logs', () => {
  let app: TestApp;
  const captured = captureLog('trace');

  beforeAll(async () => {
    app = await startTestApp({ log: captured.log });
  });
  afterAll(() => app.close());

  it('name each request by its id and route, and hold neither secrets nor content', async () => {
    const tenant = await app.tenant();
    const alice = tenant.as('alice');
    const { room_id } = await createRoom(alice, 'group', [], { name: CONTENT, metadata: { note: CONTENT } });
    const [message] = await sendAll(alice, room_id, [CONTENT]);
    await alice.patch(`/rooms/${room_id}/messages/${message?.message_id ?? ''}`, { content: `${CONTENT}!` });
    const { token } = (await tenant.key.post<{ token: string }>('/tokens', { user_id: 'alice' })).body;
    await app.anonymous.with({ authorization: `Bearer ${token}` }).get('/rooms');
    await alice.post(`/rooms/${room_id}/messages`, { content: CONTENT, [CONTENT]: 1 });
    await alice.post('/rooms', undefined, { raw: `{"name":"${CONTENT}` });
    await alice.get(`/rooms?name=${encodeURIComponent(CONTENT)}`, { headers: { 'x-request-id': 'the-last-one' } });

    const requests = captured.lines().filter((line) => line['msg'] === 'request');
    expect(requests.length).toBeGreaterThanOrEqual(9);
    for (const line of requests)
      expect(line).toMatchObject({ request_id: expect.any(String), route: expect.stringMatching(/^\//) });
    expect(requests.some((line) => line['request_id'] === 'the-last-one')).toBe(true);
    for (const secret of [tenant.apiKey, token, MASTER_KEY, CONTENT, encodeURIComponent(CONTENT)])
      expect(captured.text()).not.toContain(secret);
  });
});

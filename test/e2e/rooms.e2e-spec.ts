import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import { errorOf } from '../support/http/api';
import { createRoom, sendAll } from '../support/rooms';

describe('rooms', () => {
  let app: TestApp;
  let tenant: TestTenant;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
  });
  afterAll(() => app.close());

  it('creates a group of which the caller is admin', async () => {
    const answer = await tenant.as('alice').post('/rooms', { type: 'group', members: ['bob'], name: 'Team' });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ type: 'group', name: 'Team', unique_key: null, last_seq: 0, member_count: 2 });
  });

  it('has one dm per pair, whoever asks and in whichever order', async () => {
    const room = await createRoom(tenant.as('dm:a'), 'dm', ['dm%b']);
    expect(room).toMatchObject({ unique_key: 'dm:dm%25b:dm%3Aa' });
    const again = await tenant.as('dm%b').post('/rooms', { type: 'dm', members: ['dm:a', 'dm%b'] });
    expect(again.status).toBe(409);
    expect(errorOf(again)).toMatchObject({ code: 'CONFLICT', details: { room_id: room.room_id } });
  });

  it('lists messages in order of seq', async () => {
    const alice = tenant.as('alice');
    const { room_id } = await createRoom(alice, 'group', ['bob']);
    const sent = await sendAll(alice, room_id, ['one', 'two', 'three']);
    expect(sent.map((m) => m.seq)).toEqual([1, 2, 3]);
    const list = await tenant.as('bob').get<{ content: string }[]>(`/rooms/${room_id}/messages`);
    expect(list.body.map((m) => m.content)).toEqual(['one', 'two', 'three']);
    expect(list.headers.get('x-total-count')).toBe('3');
  });
});

import { about } from './worker';

const job = (payload: unknown): Parameters<typeof about>[0] => ({
  id: 7,
  tenantId: '0190aaaa-0000-7000-8000-000000000001',
  kind: 'post',
  key: '0190aaaa-0000-7000-8000-000000000002',
  payload,
  attempt: 2,
  createdAt: new Date(0),
});

const SAME = {
  job: 7,
  kind: 'post',
  key: '0190aaaa-0000-7000-8000-000000000002',
  tenant_id: '0190aaaa-0000-7000-8000-000000000001',
  attempt: 2,
};

describe('S30: the log lines of a job', () => {
  it.each([
    [
      { room_id: 'room_1', messageId: 'msg_2', run_id: 3 },
      { room_id: 'room_1', messageId: 'msg_2', run_id: 3 },
    ],
    [{ room_id: 'room_1', content: 'hello', text: 'x', valid: 'y' }, { room_id: 'room_1' }],
  ])('name what it is about: %j', (payload, ids) => {
    expect(about(job(payload))).toEqual({ ...SAME, about: ids });
  });

  it.each([
    [{ user_id: 'somebody@example.com', note_id: 'what was written' }],
    [{ message: { message_id: 'msg_1', content: 'hello' } }],
    [['room_1']],
    ['room_1'],
    [null],
  ])('hold nothing of what it carries: %j', (payload) => {
    expect(about(job(payload))).toEqual(SAME);
  });
});

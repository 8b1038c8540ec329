import { startTestApp, type TestApp, type TestTenant } from '../support/app';
import type { Api } from '../support/http/api';
import {
  badField,
  bodyOf,
  changesOf,
  createRoom,
  FORBIDDEN,
  listedRoom,
  NOT_FOUND,
  refusal,
  sendAll,
  signedIn,
} from '../support/rooms';

const UNKNOWN_ROOM = 'room_00000000000070008000000000000001';

describe('acks and reads', () => {
  let app: TestApp;
  let tenant: TestTenant;
  let alice: Api;
  let bob: Api;
  let room_id: string;

  beforeAll(async () => {
    app = await startTestApp();
    tenant = await app.tenant();
    alice = tenant.as('alice');
    bob = tenant.as('bob');
  });
  beforeEach(async () => {
    ({ room_id } = await createRoom(alice, 'group', ['bob']));
    await sendAll(alice, room_id, ['1', '2', '3', '4', '5']);
  });
  afterAll(() => app.close());

  const ack = (by: Api, seq: unknown, room: unknown = room_id) => by.post('/acks', { room_id: room, seq });
  const read = (by: Api, seq: unknown, room: unknown = room_id) => by.post('/reads', { room_id: room, seq });
  const position = async (by: Api) => {
    const { last_acked_seq, last_read_seq } = await listedRoom(by, room_id);
    return [last_acked_seq, last_read_seq];
  };

  it.each(['/acks', '/reads'])('%s answers success', async (path) => {
    const answer = await bob.post(path, { room_id, seq: 3 });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ success: true });
  });

  it('only move forward', async () => {
    for (const seq of [3, 1, 3, 0]) bodyOf(await ack(bob, seq));
    expect(await position(bob)).toEqual([3, 0]);
    for (const seq of [2, 1, 0]) bodyOf(await read(bob, seq));
    expect(await position(bob)).toEqual([3, 2]);
    bodyOf(await ack(bob, 5));
    expect(await position(bob)).toEqual([5, 2]);
  });

  it('are the member’s own', async () => {
    bodyOf(await read(bob, 4));
    expect(await position(alice)).toEqual([0, 0]);
  });

  it('make what is read delivered, and not the other way round', async () => {
    bodyOf(await read(bob, 4));
    expect(await position(bob)).toEqual([4, 4]);
    bodyOf(await ack(alice, 4));
    expect(await position(alice)).toEqual([4, 0]);
  });

  it.each(['/acks', '/reads'])('%s takes 0 and the newest, and refuses what lies beyond', async (path) => {
    bodyOf(await bob.post(path, { room_id, seq: 0 }));
    expect(await position(bob)).toEqual([0, 0]);
    for (const seq of [6, 1_000_000, Number.MAX_SAFE_INTEGER])
      expect(refusal(await bob.post(path, { room_id, seq }))).toEqual(badField('seq'));
    expect(await position(bob)).toEqual([0, 0]);
    bodyOf(await bob.post(path, { room_id, seq: 5 }));
    expect((await position(bob))[0]).toBe(5);
  });

  it.each([
    '-1',
    '1.5',
    '"1"',
    'null',
    'true',
    '[1]',
    '{}',
    '9007199254740992',
    '9223372036854775808',
    '-9223372036854775809',
    '1e400',
  ])('refuse the seq %s', async (seq) => {
    for (const path of ['/acks', '/reads']) {
      const answer = await bob.post(path, undefined, { raw: `{"room_id":"${room_id}","seq":${seq}}` });
      expect(refusal(answer)).toEqual(badField('seq'));
    }
    expect(await position(bob)).toEqual([0, 0]);
  });

  it('take whole numbers however JSON writes them', async () => {
    const bodies = ['-0', '0.0', '1.0', '2e0', '30e-1'].map((seq) => `{"room_id":"${room_id}","seq":${seq}}`);
    for (const raw of bodies) bodyOf(await bob.post('/acks', undefined, { raw }));
    expect(await position(bob)).toEqual([3, 0]);
  });

  it.each(['/acks', '/reads'])('refuse fields that are missing or unknown: %s', async (path) => {
    expect(refusal(await bob.post(path, { room_id }))).toEqual(badField('seq'));
    expect(refusal(await bob.post(path, { seq: 1 }))).toEqual(badField('room_id'));
    expect(refusal(await bob.post(path, { room_id: 7, seq: 1 }))).toEqual(badField('room_id'));
    expect(refusal(await bob.post(path, { room_id, seq: 1, user_id: 'alice' }))).toEqual(badField('user_id'));
    expect(refusal(await bob.post(path))).toMatchObject({ status: 400, code: 'VALIDATION_ERROR' });
  });

  it('know no room of a malformed or unknown id', async () => {
    for (const room of [UNKNOWN_ROOM, 'room_1', '', 'x'.repeat(1000), room_id.toUpperCase()]) {
      expect(refusal(await ack(bob, 0, room))).toEqual(NOT_FOUND);
      expect(refusal(await read(bob, 0, room))).toEqual(NOT_FOUND);
    }
  });

  it('are for members, in a channel too, and also while they last', async () => {
    const channel = await createRoom(alice, 'channel', ['bob']);
    await sendAll(alice, channel.room_id, ['1']);
    for (const [by, room] of [
      [tenant.as('stranger'), room_id],
      [tenant.as('stranger'), channel.room_id],
    ] as const) {
      expect(refusal(await ack(by, 0, room))).toEqual(FORBIDDEN);
      expect(refusal(await read(by, 9, room))).toEqual(FORBIDDEN);
    }
    bodyOf(await read(bob, 1, channel.room_id));
    bodyOf(await bob.delete(`/rooms/${channel.room_id}/members/bob`), 204);
    expect(refusal(await read(bob, 1, channel.room_id))).toEqual(FORBIDDEN);
  });

  it('count for the user of a token, whatever else is said', async () => {
    const browser = await signedIn(tenant, 'bob', app.anonymous);
    bodyOf(await read(browser.with({ 'x-user-id': 'alice' }), 2));
    expect(await position(bob)).toEqual([2, 2]);
    expect(await position(alice)).toEqual([0, 0]);
  });

  it('end at the highest of many that come at once, and are no change of the room', async () => {
    const seqs = [3, 1, 5, 2, 4, 0];
    const answers = await Promise.all(seqs.flatMap((seq) => [ack(bob, seq), read(bob, Math.min(seq, 4))]));
    for (const answer of answers) bodyOf(answer);
    expect(await position(bob)).toEqual([5, 4]);
    expect((await changesOf(bob, room_id)).map((change) => change.type)).toEqual(Array(5).fill('message'));
  });
});

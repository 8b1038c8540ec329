import { ask, FAKE_ANSWER, messagesOf } from '../support/chats/http';
import { DEAD_LETTERS } from '../support/dead-letters';
import { FakeModel, type AnswerGate, type ProviderServer } from '../support/fake-model';
import { Api, metricOf } from '../support/http/api';
import { allChanges, isReplay, post, send } from '../support/messages';
import { until } from '../support/poll';
import { bodyOf, listedRoom, type ListedRoomBody, type RoomBody, type RoomPageBody } from '../support/rooms';
import { type ServerProcess, Servers } from '../support/server-process';
import {
  askAgain,
  holdBack,
  JOBS_LEFT,
  layOut,
  type FixturePlaces,
  readFixture,
  untilHeld,
  UPGRADE_ENV,
} from '../support/upgrade/fixture';
import { HALF_ANSWER, PROVIDER_KEY } from '../support/upgrade/scenario';
import { Receiver } from '../support/webhooks/receiver';
import { WsClient } from '../support/ws/client';

const fixture = readFixture();
const { world } = fixture;
const { group } = world.rooms;

/** Fields that answers have gained since that release. A fixture that is made anew has them, and this list none. */
const GAINED = [
  'effective',
  'tokens_per_chat_per_day',
  'cost_per_day',
  'prices',
  'modelPrices',
  'vision',
  'keepReasoning',
  'me',
];

/** Rooms have gained settings; those of tenants were there. */
function isOfRoom(settings: unknown): boolean {
  return typeof settings === 'object' && settings !== null && 'reactions' in settings;
}

function withoutGained<T>(answers: T): T {
  const kept = (field: string, value: unknown): unknown =>
    GAINED.includes(field) || (field === 'settings' && isOfRoom(value)) ? undefined : value;
  return JSON.parse(JSON.stringify(answers, kept)) as T;
}

/** The group as bob's list had it. */
function roomBefore(): ListedRoomBody {
  const list = fixture.answers.find(({ by, path }) => by === 'bob' && path === '/rooms?limit=100')
    ?.body as RoomPageBody;
  const room = list.rooms.find(({ room_id }) => room_id === group);
  if (room === undefined) throw new Error('the fixture does not list the group');
  return room;
}

describe(`a data directory of release ${fixture.release}`, () => {
  const servers = new Servers();
  let model: ProviderServer;
  let hook: Receiver;
  let targets: AnswerGate;
  let now: FixturePlaces;
  let server: ServerProcess;
  let api: Api;
  const as = (caller: string): Api => api.with(world.callers[caller] ?? {});

  beforeAll(async () => {
    [model, hook] = await Promise.all([FakeModel.start(), Receiver.start()]);
    hook.secret = world.webhookSecret;
    targets = holdBack(model, hook);
    now = { model: model.url, hook: hook.url };
    const dataDir = servers.dataDir();
    await layOut(dataDir, fixture, now);
    const started = await servers.start({ env: { ...UPGRADE_ENV, DATA_DIR: dataDir } });
    server = started.server;
    api = new Api(started.url);
    await untilHeld(api, world);
  });
  afterAll(async () => {
    targets.open();
    await Promise.all([servers.cleanUp(), model.stop(), hook.stop()]);
  });

  it.each(fixture.answers)('answers $by as before: GET $path', async (before) => {
    expect(withoutGained(await askAgain(api, world, [before], now, fixture.places))).toEqual([before]);
  });

  it('numbers its messages and changes on without a gap, and delivers them', async () => {
    const before = roomBefore();
    const bob = await WsClient.connect(api.baseUrl, { headers: world.callers['bob'] ?? {} });
    await bob.frame('presence.snapshot');
    const { seq } = await send(as('alice'), group, { content: 'after the upgrade' });
    expect(seq).toBe(before.last_seq + 1);
    const fresh = await bob.frame((frame) => frame.type === 'message' && frame['seq'] === seq);
    expect(fresh).toMatchObject({ rev: before.last_rev + 1, content: 'after the upgrade' });
    // Before it comes what was missed, from the acknowledged one on.
    const missed = Array.from({ length: seq - before.last_acked_seq }, (_, i) => before.last_acked_seq + i + 1);
    expect(bob.got('message').flatMap((f) => (f['room_id'] === group ? [f['seq']] : []))).toEqual(missed);
    expect(await bob.ask({ type: 'ack', room_id: group, seq })).toMatchObject({ type: 'ack.received', seq });
    await bob.close();
    bodyOf(await as('bob').post('/reads', { room_id: group, seq }));
    expect(await listedRoom(as('bob'), group)).toMatchObject({
      last_seq: seq,
      last_acked_seq: seq,
      last_read_seq: seq,
    });
    const changes = await allChanges(as('alice'), group, before.last_rev);
    expect(changes).toMatchObject([{ rev: before.last_rev + 1, seq }]);
  });

  it('knows what was sent before', async () => {
    const { repeatable, idempotent } = world;
    const again = await post(as('alice'), group, repeatable.body);
    expect([isReplay(again), again.body.seq]).toEqual([true, repeatable.seq]);
    const headers = { 'Idempotency-Key': idempotent.key };
    const room = await as('alice').post<RoomBody>('/rooms', idempotent.body, { headers });
    expect([isReplay(room), room.body.room_id]).toEqual([true, idempotent.room]);
  });

  it('does what was left to do, and opens what was encrypted for it', async () => {
    targets.open();
    const answers = await until(
      async () => (await messagesOf(as('key'), world.chats.waiting)).filter((message) => message.reply_to_seq === 4),
      ({ length }) => length > 0,
    );
    expect(answers).toMatchObject([{ content: FAKE_ANSWER, status: 'completed' }]);
    const asked = await model.request(1);
    expect(asked.headers['authorization']).toBe(`Bearer ${PROVIDER_KEY}`);
    expect(JSON.stringify(asked.body)).toContain(HALF_ANSWER);
    await until(
      () => Promise.all(JOBS_LEFT.map((series) => metricOf(api, series))),
      (left) => left.every((n) => n === 0),
    );
    expect(hook.received.map(({ id }) => id)).toEqual(expect.arrayContaining([...world.hooks.due]));
    expect(hook.refused).toEqual([]);
  });

  it('goes on with a chat', async () => {
    const { message, answer } = await ask(as('key'), world.chats.told, 'third');
    expect([message.seq + 1, answer.content, answer.status]).toEqual([answer.seq, FAKE_ANSWER, 'completed']);
    expect(JSON.stringify(model.requests.at(-1)?.body)).toContain('first');
  });

  it('posts what was given up once more, under its id', async () => {
    const path = `${DEAD_LETTERS}?limit=100`;
    const letters = bodyOf(await as('key').get<{ failed_webhooks: { id: string; webhook_id: string }[] }>(path));
    expect(letters.failed_webhooks.map((letter) => letter.webhook_id).sort()).toEqual([...world.hooks.dead].sort());
    const ids = letters.failed_webhooks.map(({ id }) => id);
    bodyOf(await as('key').post(`${DEAD_LETTERS}/replay`, { ids }));
    await until(
      () => Promise.resolve(hook.received.map(({ id }) => id)),
      (received) => world.hooks.dead.every((id) => received.includes(id)),
    );
  });

  it('has nothing to complain about', () => {
    expect(server.log.filter(({ level }) => level >= 50)).toEqual([]);
  });
});

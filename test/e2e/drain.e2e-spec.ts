import { createChat, messagesOf, sayStreaming } from '../support/chats/http';
import { connect } from '../support/embedded/fixture';
import { eventually } from '../support/embedded/processes';
import { AnswerGate, FakeModel } from '../support/fake-model';
import { createRoom } from '../support/rooms';
import { adminOf, createServedTenant, SERVED_MASTER_KEY, Servers } from '../support/server-process';
import { startSocketApp } from '../support/ws/socket-app';

/** Longer than any test. */
const FOR_EVER = '600000';

describe('W16: the drain delay', () => {
  it('says "not ready" and serves everything: requests, new sockets, what is live', async () => {
    const app = await startSocketApp({ env: { DRAIN_DELAY_MS: FOR_EVER } });
    const own = await app.tenant();
    const before = await app.open(own, 'alice');
    expect((await app.anonymous.get('/health/ready')).status).toBe(200);

    const stopped = app.close();
    const ready = await app.anonymous.get('/health/ready');
    expect([ready.status, ready.headers.get('retry-after')]).toEqual([503, '1']);
    expect((await app.anonymous.get('/health')).status).toBe(200);
    const after = await app.open(own, 'bob');
    const room = await createRoom(own.as('alice'), 'group', ['alice', 'bob']);
    const sent = await own.as('alice').post(`/rooms/${room.room_id}/messages`, { content: 'still here' });
    // The next request of this connection may go to another server.
    expect([sent.status, sent.headers.get('connection')]).toEqual([201, 'close']);
    for (const client of [before, after])
      expect(await client.frame('message')).toMatchObject({ room_id: room.room_id, content: 'still here' });

    app.app.lifecycle.fatal('the test has seen enough');
    for (const client of [before, after]) expect(await client.ended()).toMatchObject({ code: 1012 });
    await stopped;
  });
});

describe('RUN_DRAIN_MS', () => {
  const servers = new Servers();
  afterEach(() => servers.cleanUp());

  it('an answer that is being written comes to its end, long after the grace', async () => {
    const model = await FakeModel.start();
    const gate = new AnswerGate();
    model.otherwise = { steps: ['One', ' two', { hold: gate }, ' three'] };
    const dir = servers.seededDir();
    const settings = { MASTER_API_KEY: SERVED_MASTER_KEY, LOG_LEVEL: 'debug', UI_ENABLED: 'false' };
    const env = { DATA_DIR: dir, OPENAI_BASE_URL: model.url, ...settings };
    let { server, url } = await servers.start({ env: { ...env, SHUTDOWN_GRACE_MS: '0', RUN_DRAIN_MS: FOR_EVER } });
    const target = await createServedTenant(() => url, 1, 1);
    const writer = target.as('writer0');
    const { id } = await createChat(writer, 'writer0');
    const stream = await sayStreaming(writer, id, 'Hello');
    await gate.reached;
    server.signal('SIGTERM');
    await eventually('its clients were let go', () =>
      server.log.some(({ msg, hook }) => msg === 'stop hook done' && hook === 'http server'),
    );
    // Seconds pass: without time of its own it would have been cut off by then.
    const client = await connect(adminOf(dir));
    const lease = async (): Promise<string | undefined> =>
      (await client.query<{ at: string }>(`SELECT lease_until::text AS at FROM jobs WHERE state = 'running'`)).rows[0]
        ?.at;
    const before = await lease();
    await eventually('its lease was renewed', async () => (await lease()) !== before);
    await client.end();
    gate.open();
    expect(await server.exit()).toBe(0);
    stream.cut();
    expect(server.log.filter(({ level }) => level >= 40)).toEqual([]);

    ({ server, url } = await servers.start({ env }));
    expect(await messagesOf(target.as('writer0'), id)).toMatchObject([
      { content: 'Hello' },
      { content: 'One two three', status: 'completed' },
    ]);
    await model.stop();
  });
});

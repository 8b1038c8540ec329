import { Client } from 'pg';
import { SseClient } from '../chats/sse';
import { FakeModel, AnswerGate, type ProviderServer } from '../fake-model';
import { Api } from '../http/api';
import { send } from '../messages';
import { until } from '../poll';
import { bodyOf, createRoom } from '../rooms';
import { adminOf, createServedTenant, SERVED_MASTER_KEY, type Servers } from '../server-process';
import { Receiver } from '../webhooks/receiver';
import { WsClient } from '../ws/client';
import { ProbedServer, type Walk } from './recorder';

export const WALKS = ['message', 'token', 'notification'] as const;

/** Files in the order in which they are come through first. No walk names a file of a stretch that stands before it. */
export interface Recorded {
  /** Those that any call with a body comes through that reads or writes a row. */
  readonly call: readonly string[];
  /** Those that any background job comes through, from being handed in until its end. */
  readonly job: readonly string[];
  /** The others, by walk; the token's are those that the message's does not have. */
  readonly walks: Readonly<Record<(typeof WALKS)[number], readonly string[]>>;
}

/** What is recorded: the walks of the page, and those whose common stretches are taken out of them. */
interface Records extends Readonly<Record<(typeof WALKS)[number], readonly string[]>> {
  readonly call: readonly string[];
  /** A whole run of a model. */
  readonly run: readonly string[];
  /** The delivery of a webhook. */
  readonly delivery: readonly string[];
}

/** Records all of them on a server of their own. @param dataDir where its database is made, if it is not there */
export async function recordWalks(servers: Servers, dataDir: string): Promise<Recorded> {
  const [model, receiver] = [await FakeModel.start(), await Receiver.start()];
  try {
    const server = await ProbedServer.start(servers, {
      ...{ DATA_DIR: dataDir, MASTER_API_KEY: SERVED_MASTER_KEY, OPENAI_BASE_URL: model.url },
      // What is done now and then has no place in a walk.
      ...{ LOG_LEVEL: 'error', WS_HEARTBEAT_MS: '600000', WS_SILENCE_MS: '900000', WEBHOOK_ALLOW_PRIVATE: 'true' },
    });
    const jobs = await JobsWatch.on(dataDir);
    const records = await recordAll(server, jobs, model, receiver).finally(() => jobs.close());
    return withoutShared(records);
  } finally {
    await Promise.all([servers.cleanUp(), model.stop(), receiver.stop()]);
  }
}

async function recordAll(
  server: ProbedServer,
  jobs: JobsWatch,
  model: ProviderServer,
  receiver: Receiver,
): Promise<Records> {
  const { as } = await createServedTenant(() => server.url, 2, 0);
  const [alice, bob, carol] = [as('alice'), as('bob'), as('carol')];
  const key = new Api(server.url, { 'x-api-key': alice.headers['x-api-key'] ?? '' });
  const bobs = await WsClient.connect(server.url, { headers: bob.headers });
  await bobs.frame('presence.snapshot');
  const room = await createRoom(alice, 'group', ['bob']);
  await bobs.frame((frame) => frame['room_id'] === room.room_id);
  const records = {
    call: await server.record(callWalk(alice)),
    message: await server.record(messageWalk(alice, room.room_id, bobs)),
    token: await server.record(tokenWalk(carol, model, jobs)),
    notification: await server.record(notificationWalk(key, bobs, jobs)),
    run: await server.record(runWalk(carol, jobs)),
    delivery: await server.record(await deliveryWalk(server.url, receiver, jobs)),
  };
  await bobs.close();
  return records;
}

/** What several walks have in common stands once. */
function withoutShared({ call: asked, message, token, notification, run, delivery }: Records): Recorded {
  const call = common(asked, message, notification);
  const job = without(common(notification, run, delivery), call);
  const shared = [...call, ...job];
  return {
    call,
    job,
    walks: {
      message: without(message, shared),
      token: without(token, [...shared, ...message]),
      notification: without(notification, shared),
    },
  };
}

const common = (files: readonly string[], ...others: readonly (readonly string[])[]): string[] =>
  files.filter((file) => others.every((other) => other.includes(file)));
const without = (files: readonly string[], others: readonly string[]): string[] =>
  files.filter((file) => !others.includes(file));

/** Looks into the server's database, past the server: what it is asked for is no part of a walk. */
class JobsWatch {
  private constructor(private readonly client: Client) {}

  static async on(dataDir: string): Promise<JobsWatch> {
    const client = new Client(adminOf(dataDir));
    await client.connect();
    return new JobsWatch(client);
  }

  /** Resolves when every job has ended, as far as the database knows: its server learns that within its next turns. */
  async ended(): Promise<void> {
    const open = (): Promise<number> =>
      this.client
        .query<{ n: number }>(`SELECT count(*)::int AS n FROM jobs WHERE state <> 'dead'`)
        .then(({ rows }) => rows[0]?.n ?? 0);
    await until(open, (n) => n === 0);
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

/** A call like any other: it checks a body and changes a row. */
function callWalk(alice: Api): Walk {
  let made = 0;
  return {
    go: async () => {
      bodyOf(await alice.post('/subscriptions', { topic: `walk.${++made}` }), 201);
    },
  };
}

function messageWalk(alice: Api, room_id: string, bobs: WsClient): Walk {
  return {
    go: async () => {
      const { seq } = await send(alice, room_id);
      await bobs.frame((frame) => frame.type === 'message' && frame['room_id'] === room_id && frame['seq'] === seq);
    },
  };
}

/** The model says one token and waits: the end of an answer is another walk. */
function tokenWalk(carol: Api, model: ProviderServer, jobs: JobsWatch): Walk {
  let gate: AnswerGate;
  let stream: SseClient;
  return {
    go: async () => {
      gate = new AnswerGate();
      model.next({ steps: ['token', { hold: gate }] });
      stream = await ask(carol);
      for (let text = ''; !text.includes('token');) text = JSON.stringify((await stream.next())?.data);
    },
    settle: async () => {
      gate.open();
      await stream.rest();
      await jobs.ended();
    },
  };
}

const ask = (carol: Api): Promise<SseClient> =>
  SseClient.open(carol, 'POST', '/api/chat/stream', { body: { message: 'go', userId: 'carol' } });

/** Until the job of the answer has ended. */
function runWalk(carol: Api, jobs: JobsWatch): Walk {
  return {
    go: async () => {
      await (await ask(carol)).rest();
      await jobs.ended();
    },
  };
}

/** A message of a tenant with a webhook, until its delivery's job has ended. */
async function deliveryWalk(url: string, receiver: Receiver, jobs: JobsWatch): Promise<Walk> {
  const { as, tenantId, roomIds } = await createServedTenant(() => url, 1, 1);
  const webhook = { url: receiver.url, events: ['message.created'] };
  const master = new Api(url, { 'x-master-key': SERVED_MASTER_KEY });
  const tenant = bodyOf(
    await master.patch<{ webhook_secret: string }>(`/admin/tenants/${tenantId}`, { settings: { webhook } }),
  );
  receiver.secret = tenant.webhook_secret;
  let sent = 0;
  return {
    go: async () => {
      await send(as('writer0'), roomIds[0] ?? '');
      sent++;
      await until(
        () => Promise.resolve(receiver.received.length),
        (n) => n >= sent,
      );
      await jobs.ended();
    },
  };
}

/** Until its job has ended. */
function notificationWalk(key: Api, bobs: WsClient, jobs: JobsWatch): Walk {
  let sent = 0;
  return {
    go: async () => {
      const n = ++sent;
      await key.post('/notify', { topic: 'walk', payload: { n }, targets: { user_ids: ['bob'] } });
      await bobs.frame((frame) => frame.type === 'notification' && (frame['payload'] as { n: number }).n === n);
      await jobs.ended();
    },
  };
}

import { SseClient } from '../chats/sse';
import { FakeModel, Gate, type ProviderServer } from '../fake-model';
import { Api } from '../http/api';
import { send } from '../messages';
import { bodyOf, createRoom } from '../rooms';
import { createTarget, SERVED_MASTER_KEY } from '../served';
import { type Servers } from '../server-process';
import { WsClient } from '../ws/client';
import { ProbedServer, type Walk } from './recorder';

export const WALKS = ['message', 'token', 'notification'] as const;

/** Files in the order in which they are come through first. */
export interface Recorded {
  /** Those that any call with a body comes through that reads or writes a row. */
  readonly call: readonly string[];
  /** The others, by walk. */
  readonly walks: Readonly<Record<(typeof WALKS)[number], readonly string[]>>;
}

/** Records all of them on a server of their own. @param dataDir where its database is made, if it is not there */
export async function recordWalks(servers: Servers, dataDir: string): Promise<Recorded> {
  const model = await FakeModel.start();
  try {
    const server = await ProbedServer.start(servers, {
      ...{ DATA_DIR: dataDir, MASTER_API_KEY: SERVED_MASTER_KEY, OPENAI_BASE_URL: model.url },
      // What is done now and then has no place in a walk.
      ...{ LOG_LEVEL: 'error', WS_HEARTBEAT_MS: '600000', WS_SILENCE_MS: '900000' },
    });
    const { as } = await createTarget(() => server.url, 2, 0);
    const [alice, bob] = [as('alice'), as('bob')];
    const bobs = await WsClient.connect(server.url, { headers: bob.headers });
    await bobs.frame('presence.snapshot');
    const room = await createRoom(alice, 'group', ['bob']);
    await bobs.frame((frame) => frame['room_id'] === room.room_id);
    const [call, ...walked] = [
      await server.record(callWalk(alice)),
      await server.record(messageWalk(alice, room.room_id, bobs)),
      await server.record(tokenWalk(as('carol'), model)),
      await server.record(
        notificationWalk(new Api(server.url, { 'x-api-key': alice.headers['x-api-key'] ?? '' }), bobs),
      ),
    ];
    const shared = call.filter((file) => walked.every((files) => files.includes(file)));
    const [message, token, notification] = walked.map((files) => files.filter((file) => !shared.includes(file)));
    await bobs.close();
    return { call: shared, walks: { message: message ?? [], token: token ?? [], notification: notification ?? [] } };
  } finally {
    await Promise.all([servers.cleanUp(), model.stop()]);
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
function tokenWalk(carol: Api, model: ProviderServer): Walk {
  let gate: Gate;
  let stream: SseClient;
  return {
    go: async () => {
      gate = new Gate();
      model.next({ steps: ['token', { hold: gate }] });
      const body = { message: 'go', userId: 'carol' };
      stream = await SseClient.open(carol, 'POST', '/api/chat/stream', { body });
      for (let text = ''; !text.includes('token');) text = JSON.stringify((await stream.next())?.data);
    },
    settle: async () => {
      gate.open();
      await stream.rest();
    },
  };
}

function notificationWalk(key: Api, bobs: WsClient): Walk {
  let sent = 0;
  return {
    go: async () => {
      const n = ++sent;
      await key.post('/notify', { topic: 'walk', payload: { n }, targets: { user_ids: ['bob'] } });
      await bobs.frame((frame) => frame.type === 'notification' && (frame['payload'] as { n: number }).n === n);
    },
  };
}

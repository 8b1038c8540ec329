import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module';
import { encodeId } from './common/ids';
import { type AppConfig, isClustered } from './config';
import { KeyCheck, SharedSecrets } from './modules/admin';
import { DEMO } from './modules/first-start';
import { NodeAsks, type NodeQuestion, openAlone, openCluster, type OpenCluster } from './platform/cluster';
import { InstanceRepository, NodeClock, type OpenDatabase } from './platform/database';
import { drainConnections, hasPages, HttpAdapter, installHttp, installSwagger, installWeb } from './platform/http';
import { type Lifecycle, StopStage } from './platform/lifecycle';
import { NestLog } from './platform/logging';
import { ChatWsAdapter, installSocketDocs, Upgrades } from './realtime';
import type { Resources } from './platform/resources';

/** Of the time of running requests: what is left is for their connections to end. */
const SHARE_OF_REQUESTS = 0.9;

/** Path parameters with which the documents' examples work on a fresh installation. */
export const PATH_EXAMPLES: Readonly<Record<string, string>> = {
  room_id: encodeId('room', DEMO.roomId),
  message_id: encodeId('message', DEMO.messageId),
  key: '👍',
  tenant_id: encodeId('tenant', DEMO.tenantId),
  notification_id: encodeId('notification', DEMO.notificationId),
  subscription_id: encodeId('subscription', DEMO.subscriptionId),
  user_id: DEMO.otherUserId,
  chat_id: DEMO.chatId,
  conversation_id: encodeId('conversation', DEMO.chatId),
  preset: 'default',
  agent_id: 'agent_default',
};

/** The Nest application, initialised and not listening. */
export async function createNest(resources: Resources, database: OpenDatabase): Promise<NestFastifyApplication> {
  const { config, lifecycle, log } = resources;
  const cluster = await openCluster(
    { config: config.cluster, lifecycle, log },
    new InstanceRepository(database.system),
  );
  const nest = await makeNest(resources, database, cluster);
  await installHttp(nest, nest.get(Upgrades).paths);
  await installSwagger(nest, PATH_EXAMPLES);
  installSocketDocs(nest);
  await installWeb(nest);
  lifecycle.onStop(
    StopStage.requests,
    'http server',
    () => closeHttp(nest, lifecycle.stageLeftMs * SHARE_OF_REQUESTS),
    Infinity,
  );
  // Before any job is begun that would fail of it.
  await nest.get(KeyCheck).checkKey();
  const isAlone = !isClustered(config.cluster);
  await nest.get(SharedSecrets).agree(isAlone);
  await nest.get(NodeClock).checkClock(isAlone);
  askAfterOthers(nest.get(NodeAsks), database);
  await nest.init();
  cluster.start();
  log.debug({}, 'application initialised');
  return nest;
}

const PRESENT: NodeQuestion<null, boolean> = 'present';

/** After a failover each server judges what it has acknowledged itself; for one that is gone nobody can. */
function askAfterOthers(asks: NodeAsks, { acknowledged }: OpenDatabase): void {
  asks.answer(PRESENT, () => true);
  acknowledged.isAnotherSilent = async () => (await asks.ask(PRESENT, null)).silent.length > 0;
}

/** The bare application, for the documents too. */
export async function makeNest(
  resources: Resources,
  database: OpenDatabase,
  cluster: OpenCluster = openAlone(resources.log),
): Promise<NestFastifyApplication> {
  const nest = await NestFactory.create<NestFastifyApplication>(
    AppModule.register(resources, database, cluster),
    new HttpAdapter(resources.config.http),
    { bodyParser: false, abortOnError: false, logger: new NestLog(resources.log) },
  );
  return nest.useWebSocketAdapter(new ChatWsAdapter(nest));
}

/** Running requests get their time to finish; then their connections are cut. */
async function closeHttp(nest: NestFastifyApplication, graceMs: number): Promise<void> {
  // Before Fastify hears of it: from then on it refuses requests in words of its own, not in the contract's.
  await drainConnections(nest.getHttpServer(), graceMs);
  await nest.close();
}

/**
 * Connections that may wait until they are accepted; Linux allows net.core.somaxconn of them, 4,096. After a deploy all
 * clients connect in one moment. With what Node asks for by itself (511) the system drops the others' attempts, which
 * are made again seconds later or reset.
 */
const BACKLOG = 65_535;

/** Listens and returns where; a taken port is one clear line. */
export async function listen(
  nest: NestFastifyApplication,
  config: AppConfig,
  lifecycle: Lifecycle,
): Promise<{ url: string; bound: string; hasPages: boolean }> {
  if (lifecycle.stopping) throw new Error('The server was stopped while it started');
  const host = config.http.host ?? (config.database.url === undefined ? '127.0.0.1' : '0.0.0.0');
  try {
    await nest.listen({ port: config.http.port, host, backlog: BACKLOG });
  } catch (error) {
    const line = explainListenError((error as NodeJS.ErrnoException).code, host, config.http.port);
    throw line === undefined ? error : new Error(line, { cause: error });
  }
  lifecycle.markReady();
  const { port } = nest.getHttpServer().address() as { port: number };
  const isEverywhere = host === '0.0.0.0' || host === '::';
  const url = httpUrl(isEverywhere ? '127.0.0.1' : host, port);
  return { url, bound: httpUrl(host, port), hasPages: hasPages(config.http) };
}

function httpUrl(host: string, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function explainListenError(code: string | undefined, host: string, port: number): string | undefined {
  if (code === 'EADDRINUSE') return `Port ${port} on ${host} is taken: stop what uses it, or set PORT`;
  if (code === 'EACCES') return `Port ${port} needs more rights: set PORT to 1024 or higher`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `HOST ${host} is no address of this machine`;
  return undefined;
}

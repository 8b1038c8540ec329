import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MASTER_KEY, createTenantOn, type TestTenant } from '../app';
import { build } from '../built-server';
import { Api } from '../http/api';
import { hasPostgres15, Postgres15 } from '../postgres15';
import { freePort, type ServerProcess, Servers } from '../server-process';
import { LONG_DATABASE_DEADLINE } from '../timing';
import { hasHaproxy, Haproxy } from './haproxy';
import { RedisServer } from './redis';
import { TcpProxy } from './tcp-proxy';

const ROOT = join(__dirname, '..', '..', '..');

/** jest's own, or a skip that says what is missing. */
export const describeCluster = (
  hasPostgres15 && hasHaproxy && existsSync('/usr/bin/redis-server')
    ? describe
    : (name: string, tests: () => void) =>
        describe.skip(
          `${name} (skipped: install the packages postgresql, redis-server and haproxy of Debian 12)`,
          tests,
        )
) as jest.Describe;

/** Nobody misses the data of these tests, but for those that kill PostgreSQL. */
const FAST = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' };

/** What all nodes of an installation have in common. */
const SHARED = {
  MASTER_API_KEY: MASTER_KEY,
  JWT_SECRET: 'a secret that all nodes of the tests share',
  ENCRYPTION_KEY: '5'.repeat(64),
  HOST: '127.0.0.1',
  TRUST_PROXY: 'true',
  DEMO: 'false',
  LOG_LEVEL: 'warn',
  DATABASE_ALLOW_UNSAFE: 'true',
  DATABASE_POOL_SIZE: '8',
  // Three nodes, their clients and the test share two cores: what is slow is not away.
  REDIS_DEADLINE_MS: '2000',
  // Two checks of HAProxy, of 500 ms, and a slow machine.
  DRAIN_DELAY_MS: '3000',
  WS_SHUTDOWN_SPREAD_MS: '500',
  // Nothing is sent again by itself: a stream that repeats is a fault.
  WS_ACK_TIMEOUT_MS: '600000',
  WEBHOOK_ALLOW_PRIVATE: 'true',
};

export interface ClusterOptions {
  /** More environment variables, of every node. */
  readonly env?: Readonly<Record<string, string>>;
  /** Commits wait for the disk, as those of a real installation: for tests that kill PostgreSQL. */
  readonly isDurable?: boolean;
}

/** One process of several, at the same address whenever it runs, with a line of its own to Redis. */
export class ClusterNode {
  private constructor(
    readonly url: string,
    private readonly servers: Servers,
    private readonly env: Readonly<Record<string, string>>,
    /** The network between this node and Redis. */
    readonly redis: TcpProxy,
    private process: ServerProcess,
  ) {}

  /** @param env all but its address and its line to Redis */
  static async start(
    servers: Servers,
    redis: RedisServer,
    env: Readonly<Record<string, string>>,
  ): Promise<ClusterNode> {
    const line = await TcpProxy.to(() => redis.port);
    const own = { ...env, PORT: `${await freePort()}`, REDIS_URL: `redis://127.0.0.1:${line.port}` };
    const { server, url } = await servers.start({ env: own, checkout: ROOT });
    return new ClusterNode(url, servers, own, line, server);
  }

  /** Without a credential. */
  get anonymous(): Api {
    return new Api(this.url);
  }

  /** Resolves with its exit code, or the signal that ended it. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | NodeJS.Signals> {
    return this.process.kill(signal);
  }

  /** It stands still, with its connections open, and knows nothing of it. */
  freeze(): void {
    this.process.signal('SIGSTOP');
  }

  thaw(): void {
    this.process.signal('SIGCONT');
  }

  /** Resolves once it takes requests. */
  async restart(): Promise<void> {
    ({ server: this.process } = await this.servers.start({ env: this.env, checkout: ROOT }));
  }

  /** What the process that runs now has logged, as text. */
  get output(): string {
    return this.process.output;
  }
}

/**
 * Several nodes on one PostgreSQL and one Redis, each a built server in a process of its own, behind HAProxy. All of it is
 * real, and the test's own; `stop` ends all of it, also what the test has killed, frozen or cut.
 */
export class Cluster {
  private constructor(
    readonly nodes: readonly ClusterNode[],
    readonly redis: RedisServer,
    readonly postgres: Postgres15,
    readonly proxy: Haproxy,
    private readonly servers: Servers,
  ) {}

  /** @param count of nodes; they start one after the other, and the first one makes the schema */
  static async start(count: number, options: ClusterOptions = {}): Promise<Cluster> {
    await build();
    const servers = new Servers();
    const postgres = await Postgres15.create(options.isDurable === true ? {} : FAST);
    const redis = await RedisServer.start();
    const shared = {
      ...SHARED,
      ...LONG_DATABASE_DEADLINE,
      DATABASE_URL: await postgres.createDatabase('chatapi'),
      ...options.env,
    };
    const nodes: ClusterNode[] = [];
    try {
      for (let n = 1; n <= count; n++) {
        const own = { CLUSTER_NODE_NAME: `node${n}`, DATA_DIR: servers.dataDir() };
        nodes.push(await ClusterNode.start(servers, redis, { ...shared, ...own }));
      }
      const proxy = await Haproxy.inFrontOf(nodes.map(({ url }) => url));
      return new Cluster(nodes, redis, postgres, proxy, servers);
    } catch (error) {
      await stopParts(servers, nodes, redis, postgres);
      throw error;
    }
  }

  /** Where clients come in. */
  get url(): string {
    return this.proxy.url;
  }

  /** Numbered from 0. */
  node(n: number): ClusterNode {
    const node = this.nodes[n];
    if (node === undefined) throw new Error(`there is no node ${n}`);
    return node;
  }

  get master(): Api {
    return new Api(this.url, { 'x-master-key': MASTER_KEY });
  }

  /** A new tenant, whose clients come in through HAProxy; its rate limits are off unless given. */
  tenant(limits?: Record<string, unknown>, settings?: Record<string, unknown>): Promise<TestTenant> {
    return createTenantOn(this.url, limits, settings);
  }

  async stop(): Promise<void> {
    await this.proxy.stop();
    await stopParts(this.servers, this.nodes, this.redis, this.postgres);
  }
}

/** The same credentials at one node. */
export function at(node: ClusterNode, by: Api): Api {
  return new Api(node.url, by.headers);
}

async function stopParts(
  servers: Servers,
  nodes: readonly ClusterNode[],
  redis: RedisServer,
  postgres: Postgres15,
): Promise<void> {
  for (const node of nodes) node.thaw();
  await servers.cleanUp();
  for (const node of nodes) await node.redis.close();
  await redis.stop();
  await postgres.remove();
}

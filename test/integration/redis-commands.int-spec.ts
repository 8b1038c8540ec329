import { createClient } from '@redis/client';
import { redisKey, RedisAway, RedisCommands, type Script } from '../../src/platform/cluster/redis/redis-commands';
import { describeRedis, RedisServer } from '../support/cluster/redis';
import { TcpProxy } from '../support/cluster/tcp-proxy';
import { RecordingLog } from '../support/recording-log';
import { untilPasses } from '../support/suites/port-fixture';

const ADD: Script = { name: 'add', lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" };
const BROKEN: Script = { name: 'broken', lua: "return redis.call('INCRBY', KEYS[1], 'secret-argument')" };
const KEY = redisKey('instance', 'c', 'secret-key');
/** No healthy answer takes so long. */
const PATIENT_MS = 60_000;

let redis: RedisServer;
let proxy: TcpProxy;
let commands: RedisCommands;
let log: RecordingLog;
let lives: number;
let counts: string[];

/** Over another connection, which nothing is in the way of. */
async function admin(...command: string[]): Promise<unknown> {
  const client = createClient({ url: `redis://127.0.0.1:${redis.port}` });
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

function make(deadlineMs?: number, credentials = ''): void {
  log = new RecordingLog();
  lives = 0;
  counts = [];
  const url = `redis://${credentials}127.0.0.1:${proxy.port}`;
  const observer = {
    answered: (op: string) => void counts.push(`answered ${op}`),
    failed: (op: string) => void counts.push(`failed ${op}`),
  };
  const deadline = deadlineMs === undefined ? {} : { deadlineMs };
  commands = new RedisCommands({ url, clientName: 'chatapi-test', observer, ...deadline }, log);
  commands.onLive(() => lives++);
  commands.start();
}

async function live(deadlineMs?: number): Promise<void> {
  make(deadlineMs);
  await untilPasses(() => expect(lives).toBe(1));
}

const add = (n = 1): Promise<unknown> => commands.run(ADD, [KEY], [n]);
const away = (asked: Promise<unknown>): Promise<void> => expect(asked).rejects.toBeInstanceOf(RedisAway);

/** In time, as soon as this machine, which may be slow, lets it. */
async function answersAgain(): Promise<void> {
  for (;;) {
    try {
      await add(0);
      return;
    } catch (error) {
      expect(error).toBeInstanceOf(RedisAway);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function untilGone(): Promise<void> {
  let list: unknown;
  do list = await admin('CLIENT', 'LIST');
  while (String(list).includes('chatapi-test'));
}

function withRedis(): void {
  beforeAll(async () => {
    redis = await RedisServer.start();
    proxy = await TcpProxy.to(() => redis.port);
  });
  afterEach(async () => {
    commands.stop();
    redis.thaw();
    proxy.pass();
    await admin('FLUSHALL');
  });
  afterAll(async () => {
    await proxy.close();
    await redis.stop();
  });
}

describeRedis('commands to Redis', () => {
  withRedis();

  it('are answered in their order, by a script that Redis knows or is told', async () => {
    await live(PATIENT_MS);
    expect(commands.isLive).toBe(true);
    await admin('SCRIPT', 'FLUSH');
    expect(await Promise.all([add(), add(2), add(3)])).toEqual([1, 3, 6]);
    await admin('SCRIPT', 'FLUSH');
    expect(await add(4)).toBe(10);
    expect(counts).toEqual(Array.from({ length: 4 }, () => 'answered add'));
    expect(await admin('GET', 'chatapi:{instance}:c:secret-key')).toBe('10');
  });

  it('are refused at once before the first connection, and after the stop', async () => {
    proxy.cut();
    make(PATIENT_MS);
    expect(commands.isLive).toBe(false);
    await away(add());
    proxy.pass();
    await untilPasses(() => expect(lives).toBe(1));
    expect(await add()).toBe(1);
    redis.freeze();
    const asked = add();
    commands.stop();
    await away(asked);
    redis.thaw();
    expect(commands.isLive).toBe(false);
    await away(add());
    await untilGone();
  });

  it('find Redis again after it was killed, whatever waited then is away', async () => {
    await live(PATIENT_MS);
    await add(7);
    redis.freeze();
    const asked = add();
    await redis.kill();
    await away(asked);
    await untilPasses(() => expect(commands.isLive).toBe(false));
    await away(add());
    await redis.restart();
    await untilPasses(() => expect(lives).toBe(2));
    expect(await add()).toBe(1);
    const said = log.lines.map(({ level, message }) => `${level} ${message}`);
    const gone = 'warn Redis is away: what nodes count and know together is each one’s own for now';
    expect(said).toEqual(['info Redis answers commands', gone, 'info Redis answers commands']);
  });
});

describeRedis('commands to a Redis that does not answer', () => {
  withRedis();

  it('are given up after the deadline where Redis hangs: only the first ones wait; its late answer ends that', async () => {
    await live();
    await answersAgain();
    redis.freeze();
    const asked = add();
    await away(asked);
    expect(commands.isLive).toBe(false);
    counts.length = 0;
    await away(add());
    expect(counts).toEqual([]);
    redis.thaw();
    await untilPasses(() => expect(commands.isLive).toBe(true));
    await answersAgain();
  });

  it('go over a new connection where the old one answers nothing for long', async () => {
    await live();
    await answersAgain();
    proxy.blackhole();
    await away(add());
    await untilPasses(() => expect(log.lines.map(({ level }) => level)).toEqual(['info', 'warn']));
    proxy.pass();
    await untilPasses(() => expect(lives).toBe(2));
    await answersAgain();
  });

  it('are given up where Redis is slow, each time, and answered when it is not', async () => {
    await live();
    await answersAgain();
    proxy.delay(300);
    await away(add());
    await untilPasses(() => expect(commands.isLive).toBe(true));
    await away(add());
    proxy.pass();
    await untilPasses(() => expect(commands.isLive).toBe(true));
    await answersAgain();
    expect(lives).toBe(1);
  });
});

describeRedis('commands to a Redis that refuses', () => {
  withRedis();

  it('are away where Redis answers with an error: said once, without keys, until one is answered well', async () => {
    await live(PATIENT_MS);
    for (let i = 0; i < 2; i++) await away(commands.run(BROKEN, [KEY], []));
    await admin('CONFIG', 'SET', 'maxmemory', '1');
    try {
      for (let i = 0; i < 2; i++) await away(add());
    } finally {
      await admin('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(commands.isLive).toBe(true);
    expect(await add(5)).toBe(5);
    expect(log.lines.slice(1).map(({ fields }) => fields)).toEqual([
      { op: 'broken', reason: 'ERR' },
      { op: 'add', reason: 'OOM' },
    ]);
    expect(counts).toEqual(['failed broken', 'failed broken', 'failed add', 'failed add', 'answered add']);
    expect(JSON.stringify(log.lines)).not.toContain('secret');
  });

  it('are away while the password is wrong or missing, of which the log says no more than that', async () => {
    await admin('CONFIG', 'SET', 'requirepass', 'right');
    const unlock = createClient({ url: `redis://:right@127.0.0.1:${redis.port}` });
    await unlock.connect();
    try {
      for (const [credentials, reason] of [
        [':secret@', 'WRONGPASS'],
        ['', 'NOAUTH'],
      ] as const) {
        make(PATIENT_MS, credentials);
        await untilPasses(() => expect(log.lines.map(({ fields }) => fields)).toEqual([{ reason }]));
        await away(add());
        expect(JSON.stringify(log.lines)).not.toMatch(/secret|127\.0\.0\.1/);
        commands.stop();
      }
      make(PATIENT_MS, ':right@');
      await untilPasses(() => expect(lives).toBe(1));
      expect(await add()).toBe(1);
    } finally {
      await unlock.sendCommand(['CONFIG', 'SET', 'requirepass', '']);
      unlock.destroy();
    }
  });
});

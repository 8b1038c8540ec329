import { tmpdir } from 'node:os';
import { ExampleClients } from '../support/example-clients';
import { createServedTenant, Servers } from '../support/server-process';
import { RestartingServer } from '../support/restarting-server';
import { MessageWriters } from '../support/message-writers';

/** `npm run test:crash` sets CRASH_LONG; each number can be set alone. */
const isLong = process.env['CRASH_LONG'] === '1';
const count = (name: string, short: number, long: number): number =>
  Number(process.env[name] ?? (isLong ? long : short));
const WRITERS = count('CRASH_WRITERS', 4, 16);
const SERVER_KILLS = count('CRASH_SERVER_KILLS', 3, 20);
const PG_KILLS = count('CRASH_PG_KILLS', 2, 10);
const ALL_KILLS = count('CRASH_ALL_KILLS', 1, 5);
const FREEZES = count('CRASH_FREEZES', 1, 6);
/** Acknowledgements between two crashes: the next one meets a server at work. */
const WORK = count('CRASH_WORK', 40, 400);
/**
 * How often each writer is refused before PostgreSQL goes on, in turns. The first refusals come when the deadline of
 * 4 s has passed, while the server still hopes to learn what became of the batch; after some hundred it has given up.
 */
const PATIENCE = [1, 20, 300];

// The long form on a real disk, where a commit takes its time.
const servers = isLong ? new Servers(tmpdir()) : new Servers();
let clients: ExampleClients | undefined;
afterEach(async () => {
  clients?.stop();
  await MessageWriters.abandonAll();
  await servers.cleanUp();
});

type Crash = (victim: RestartingServer, writers: MessageWriters) => Promise<void>;

/** By turns the whole of PostgreSQL, and only the sessions that the server has: what those hold locked is refused. */
function freeze(n: number): Crash {
  if (n % 2 === 1) return (victim, writers) => victim.freezeSessions(() => writers.refusedOr(1, WORK));
  const patience = PATIENCE[(n / 2) % PATIENCE.length] ?? 1;
  return (victim, writers) => victim.freezePostgres(() => writers.refused(patience));
}

/** Several kinds of crashes, each spread evenly over the whole. */
function mixed(...kinds: Crash[][]): Crash[] {
  return kinds
    .flatMap((kind) => kind.map((crash, i) => ({ crash, at: (i + 0.5) / kind.length })))
    .sort((a, b) => a.at - b.at)
    .map(({ crash }) => crash);
}

const times = (n: number, crash: Crash): Crash[] => Array.from({ length: n }, () => crash);

it('loses nothing that it acknowledged and stores no retry twice, however often it dies or freezes', async () => {
  const victim = await RestartingServer.start(servers);
  const target = await createServedTenant(() => victim.url, WRITERS, 3);
  clients = new ExampleClients(() => target.as('writer0'), target.roomIds);
  const writers = new MessageWriters(target).start();
  const crashes = mixed(
    times(SERVER_KILLS, (v) => v.killServer()),
    times(PG_KILLS, (v) => v.killPostgres()),
    times(ALL_KILLS, (v) => v.killAll()),
    Array.from({ length: FREEZES }, (_, i) => freeze(i)),
  );
  for (const crash of [...crashes, () => Promise.resolve()]) {
    await writers.progress(WORK);
    await crash(victim, writers);
  }
  await writers.finish();
  expect(await writers.faults()).toEqual([]);
  // Nobody who listens has missed anything either, and each of them was cut off by every death of the server.
  expect(await clients.faults()).toEqual([]);
  expect(clients.lost).toBeGreaterThan(SERVER_KILLS + ALL_KILLS);
  if (isLong) process.stdout.write(`${JSON.stringify({ crashes: crashes.length, ...writers.counts })}\n`);
}, 1_800_000);

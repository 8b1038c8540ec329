import { tmpdir } from 'node:os';
// All kinds of jobs are known once all of the server is loaded.
import '../../src/app.module';
import { JobKind } from '../../src/platform/jobs';
import { JobMix, killsFor, PLACES } from '../support/crash/job-mix';
import { CrashSite } from '../support/crash/site';
import { ExampleClients } from '../support/example-clients';
import { createServedTenant, Servers } from '../support/server-process';
import type { RestartingServer } from '../support/restarting-server';
import { MessageWriters } from '../support/message-writers';

/** `npm run test:crash` sets CRASH_LONG; each number can be set alone. */
const isLong = process.env['CRASH_LONG'] === '1';
const count = (name: string, short: number, long: number): number =>
  Number(process.env[name] ?? (isLong ? long : short));
const WRITERS = count('CRASH_WRITERS', 4, 16);
const PG_KILLS = count('CRASH_PG_KILLS', 2, 10);
const ALL_KILLS = count('CRASH_ALL_KILLS', 1, 5);
const KINDS = JobKind.all().map(({ name }) => name);
/** As many as it takes to meet each kind of jobs once. */
const SERVER_KILLS = Math.max(count('CRASH_SERVER_KILLS', 3, 20), killsFor(KINDS) - PG_KILLS - ALL_KILLS);
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
let site: CrashSite | undefined;
afterEach(async () => {
  clients?.stop();
  site?.victim.goOn();
  await MessageWriters.abandonAll();
  await site?.stop();
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

/** The next one comes in the middle of some job's work. */
function kills(mix: JobMix): Crash[][] {
  let met = 0;
  const times = (n: number, kill: (victim: RestartingServer) => Promise<void>): Crash[] =>
    Array.from({ length: n }, () => async (victim: RestartingServer) => {
      await mix.meet(met++);
      await kill(victim);
    });
  return [
    times(SERVER_KILLS, (victim) => victim.endLeases().then(() => victim.killServer())),
    times(PG_KILLS, (victim) => victim.killPostgres()),
    times(ALL_KILLS, (victim) => victim.endLeases().then(() => victim.killAll())),
  ];
}

it('meets every kind of jobs that the server has', () => {
  expect(Object.keys(PLACES).sort()).toEqual([...KINDS].sort());
});

it('loses nothing that it acknowledged, stores no retry twice and ends every job, however often it dies or freezes', async () => {
  site = await CrashSite.start(servers);
  const { victim } = site;
  const mix = await JobMix.prepare(site, KINDS, SERVER_KILLS + PG_KILLS + ALL_KILLS);
  const target = await createServedTenant(() => victim.url, WRITERS, 3);
  clients = new ExampleClients(() => target.as('writer0'), target.roomIds);
  const writers = new MessageWriters(target).start();
  const freezes = Array.from({ length: FREEZES }, (_, i) => freeze(i));
  const crashes = mixed(...kills(mix), freezes);
  for (const crash of [...crashes, () => Promise.resolve()]) {
    await writers.progress(WORK);
    await crash(victim, writers);
  }
  await writers.finish();
  expect(await writers.faults()).toEqual([]);
  // Nobody who listens has missed anything either, and each of them was cut off by every death of the server.
  expect(await clients.faults()).toEqual([]);
  expect(clients.lost).toBeGreaterThan(SERVER_KILLS + ALL_KILLS);
  expect(await mix.faults()).toEqual([]);
  if (isLong) process.stdout.write(`${JSON.stringify({ crashes: crashes.length, ...writers.counts })}\n`);
}, 1_800_000);

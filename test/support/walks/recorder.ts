import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ServerProcess, type Servers } from '../server-process';

const ROOT = join(__dirname, '..', '..', '..');
const PRELOADS = ['test/support/server-hook.cjs', 'test/support/walks/probe.cjs'].flatMap((file) => [
  '-r',
  join(ROOT, file),
]);
/** So often a walk is made before it is recorded: what is made once is no part of it. */
const WARM_UPS = 3;
const WALKS = 8;
/** Walks in which a function has to be called, and how often over what is called in as much idle time. */
const LEAST = { walks: 7, calls: 4 };
/** A server in which nothing runs for so long has done what it was asked for. */
const REST_MS = 100;
/** Every timer that matters has come by in it. */
const IDLE_MS = 3000;

type Calls = readonly (readonly [name: string, count: number])[];

/** One way through the server, as a client makes it. */
export interface Walk {
  /** From the first byte that is sent to the last one that is waited for. */
  go(): Promise<void>;
  /** What has to end before the next walk, and is no part of this one. */
  settle?(): Promise<void>;
}

/** The server from its sources, each function of which can be seen to run. */
export class ProbedServer {
  /** What timers call. */
  private byItself: ReadonlySet<string> = new Set();

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(servers: Servers, env: Readonly<Record<string, string>>): Promise<ProbedServer> {
    const child = spawn(process.execPath, [...PRELOADS, join(ROOT, 'src', 'main.ts')], {
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { PATH: process.env['PATH'], TMPDIR: tmpdir(), PORT: '0', ...env },
    });
    return new ProbedServer(child, await servers.own(new ServerProcess(child)).url());
  }

  /**
   * The files of src that a walk goes through until the server rests, in the order in which their functions are called
   * first: those of which a function is called in nearly each walk, over what is called by itself meanwhile.
   */
  async record(walk: Walk): Promise<string[]> {
    for (let n = 0; n < WARM_UPS; n++) await walk.go().then(() => walk.settle?.());
    this.byItself = new Set((await this.during(() => pause(IDLE_MS))).map(([name]) => name));
    const seen = new Map<string, { walks: number; calls: number; place: number }>();
    const of = (name: string) => seen.get(name) ?? { walks: 0, calls: 0, place: 0 };
    let total = 0;
    for (let n = 0; n < WALKS; n++) {
      const { calls, ms } = await this.walked(walk);
      total += ms;
      for (const [name, count] of calls) seen.set(name, { ...of(name), calls: of(name).calls + count });
      [...new Set(calls.map(([name]) => name))].forEach((name, place) =>
        seen.set(name, { ...of(name), walks: of(name).walks + 1, place: of(name).place + place }),
      );
    }
    const idle = new Map(await this.during(() => pause(total)));
    const walked = [...seen.keys()].filter(
      (name) => of(name).walks >= LEAST.walks && of(name).calls - (idle.get(name) ?? 0) >= LEAST.calls,
    );
    walked.sort((a, b) => of(a).place - of(b).place);
    return [...new Set(walked.map(fileOf))];
  }

  private async walked(walk: Walk): Promise<{ calls: Calls; ms: number }> {
    const begun = performance.now();
    const calls = [...(await this.during(() => walk.go())), ...(await this.rest())];
    const ms = performance.now() - begun;
    await walk.settle?.();
    await this.rest();
    return { calls, ms };
  }

  /** What is called until nothing is but by timers. */
  private async rest(): Promise<Calls> {
    const calls = [...(await this.during(() => pause(REST_MS)))];
    return calls.every(([name]) => this.byItself.has(name)) ? [] : [...calls, ...(await this.rest())];
  }

  private async during(work: () => Promise<unknown>): Promise<Calls> {
    await this.tell('begin');
    await work();
    return this.tell('end');
  }

  private async tell(message: string): Promise<Calls> {
    const answered = once(this.child, 'message') as Promise<[Calls]>;
    this.child.send(message);
    return (await answered)[0];
  }
}

/** `<root>/src/a.ts:120` → `src/a.ts`. */
function fileOf(name: string): string {
  return relative(ROOT, name.replace(/:\d+$/, '')).replaceAll('\\', '/');
}

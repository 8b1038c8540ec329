import { uuidOf } from '../tenants';
import { collecting } from './changes';
import { exporting, loading, validating } from './files';
import { deletion, erase, retention } from './removing';
import type { CrashSite, JobWork } from './site';
import { answering, delivering, fanningOut, planning } from './telling';

interface Place {
  readonly prepare: (site: CrashSite) => Promise<JobWork>;
  /** It waits in the middle by itself, so it may share a kill with others. */
  readonly isHeld?: true;
}

/** By the names of the kinds of jobs. One that the server has and that has no place here fails the crash test. */
export const PLACES: Readonly<Record<string, Place>> = {
  feed: { prepare: collecting },
  'export.write': { prepare: exporting },
  'import.load': { prepare: loading },
  'import.validate': { prepare: validating },
  'notification.fan_out': { prepare: fanningOut },
  retention: { prepare: retention },
  run: { prepare: answering, isHeld: true },
  'tenant.delete': { prepare: deletion },
  'user.erase': { prepare: erase },
  'webhook.deliver': { prepare: delivering, isHeld: true },
  'webhook.plan': { prepare: planning },
};

const isHeld = (kind: string): boolean => PLACES[kind]?.isHeld === true;

/** So many kills it takes to meet all of these kinds. */
export function killsFor(kinds: readonly string[]): number {
  return kinds.filter((kind) => !isHeld(kind)).length;
}

interface MetWork extends JobWork {
  readonly kind: string;
}

/** Work of all kinds of jobs, and which kill meets which. */
export class JobMix {
  private constructor(
    private readonly site: CrashSite,
    /** By kills. */
    private readonly met: readonly MetWork[][],
  ) {}

  /** Was over before it could be met. */
  private readonly missed: MetWork[] = [];

  /** @param kills at least `killsFor(kinds)` */
  static async prepare(site: CrashSite, kinds: readonly string[], kills: number): Promise<JobMix> {
    if (kills < killsFor(kinds)) throw new Error(`${kills} kills do not meet ${kinds.join(', ')}`);
    const [alone, held] = [kinds.filter((kind) => !isHeld(kind)), kinds.filter(isHeld)];
    const met: MetWork[][] = [];
    for (let n = 0; n < kills; n++) {
      const own = [alone[n % alone.length], held[n]].filter((kind) => kind !== undefined);
      met.push([]);
      for (const kind of own) met[n]?.push({ kind, ...(await workOf(site, kind)) });
    }
    return new JobMix(site, met);
  }

  /** Resolves with the server standing still, in the middle of what the nth kill is to meet. @param n from 0 */
  async meet(n: number): Promise<void> {
    const works = this.met[n] ?? [];
    for (const work of works) await work.begin();
    await this.site.victim.stopWhen(
      `in the middle: ${works.map(({ kind }) => kind).join(', ')}`,
      async () => {
        for (const work of works) if (!(await this.isMet(work))) return false;
        return true;
      },
      async () => {
        for (const [i, work] of works.entries()) if (!(await this.hasJob(work))) works[i] = await this.again(work);
      },
    );
  }

  /** Waits until all of it is over. */
  async faults(): Promise<string[]> {
    const faults: string[] = [];
    for (const work of [...this.missed, ...this.met.flat()])
      faults.push(...(await work.faults()).map((fault) => `${work.kind}, ${work.tenantId}: ${fault}`));
    const dead = await this.site.victim.sql<{ kind: string }>(`SELECT kind FROM jobs WHERE state = 'dead'`);
    return [...faults, ...dead.map(({ kind }) => `a job of ${kind} was given up`)];
  }

  private async again(work: MetWork): Promise<MetWork> {
    if (work.isOver === undefined) await work.begin();
    if (!(await work.isOver?.())) return work;
    this.missed.push(work);
    const other = { kind: work.kind, ...(await workOf(this.site, work.kind)) };
    await other.begin();
    return other;
  }

  private async isMet(work: MetWork): Promise<boolean> {
    return (await this.hasJob(work, ['running'])) && work.isHalfDone();
  }

  private async hasJob({ tenantId, kind }: MetWork, states = ['queued', 'running']): Promise<boolean> {
    const jobs = 'jobs WHERE tenant_id = $1 AND kind = $2 AND state = ANY ($3)';
    return (await this.site.count(jobs, uuidOf(tenantId), kind, states)) > 0;
  }
}

function workOf(site: CrashSite, kind: string): Promise<JobWork> {
  const place = PLACES[kind];
  if (place === undefined) throw new Error(`jobs of kind ${kind} have no place in the crash test`);
  return place.prepare(site);
}

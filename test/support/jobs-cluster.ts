import { nodeAddress } from '../../src/common/ids';
import { ManualClock } from '../../src/common/time';
import { MemoryBus, MemoryNodeRegistry } from '../../src/platform/cluster';
import type { TopicSubscriptions } from '../../src/platform/cluster/memory-bus';
import type { Heartbeats } from '../../src/platform/cluster/memory-node-registry';
import { Jobs } from '../../src/platform/jobs';
import type { BoundRunner } from '../../src/platform/jobs/job';
import { Endings, type JobsRepository } from '../../src/platform/jobs/jobs.repository';
import { JobWakes } from '../../src/platform/jobs/jobs';
import { JobWorker } from '../../src/platform/jobs/worker';
import { WorkerStart } from '../../src/platform/jobs/worker-start';
import { Lifecycle } from '../../src/platform/lifecycle';
import { SilentLog } from '../../src/platform/logging';

/** A node with a worker that looks when it is woken, and never by itself: it has no poll. */
class WokenNode {
  readonly jobs: Jobs;
  readonly claims = { some: 0, empty: 0 };
  /** What became of its attempts, in order. */
  readonly ended: string[] = [];
  /** Calls to the database that are under way. */
  busy = 0;
  private readonly start: WorkerStart;

  constructor(
    jobs: JobsRepository,
    handlers: Readonly<Record<string, BoundRunner>>,
    bus: MemoryBus,
    nodes: MemoryNodeRegistry,
  ) {
    const repository = this.counting(jobs);
    const wakes = new JobWakes(bus, nodes);
    const worker = new JobWorker(
      repository,
      { all: new Map(Object.entries(handlers)) },
      new Endings(repository, bus),
      new ManualClock(),
      {
        ended: (_kind, outcome) => this.ended.push(outcome),
        claimed: (jobs) => this.claims[jobs > 0 ? 'some' : 'empty']++,
      },
      new SilentLog(),
    );
    this.jobs = new Jobs(repository, wakes);
    this.start = new WorkerStart(worker, wakes, bus, new Lifecycle(new SilentLog()));
    this.start.onApplicationBootstrap();
  }

  private counting(jobs: JobsRepository): JobsRepository {
    const counted = async <T>(call: Promise<T>): Promise<T> => {
      this.busy++;
      try {
        return await call;
      } finally {
        this.busy--;
      }
    };
    const calls: Pick<JobsRepository, 'claim' | 'end' | 'isDue'> = {
      claim: (request) => counted(jobs.claim(request)),
      end: (endings) => counted(jobs.end(endings)),
      isDue: (queues) => counted(jobs.isDue(queues)),
    };
    return Object.assign(Object.create(jobs) as JobsRepository, calls);
  }

  get claimed(): number {
    return this.claims.some + this.claims.empty;
  }

  /** Runs no more jobs, and goes on to take them in. */
  stop(): Promise<void> {
    return this.start.stop();
  }
}

/** Nodes of one database that wake each other. */
export class JobsCluster {
  readonly nodes: readonly WokenNode[];
  /** Wake-ups that went from one node to another. */
  passedOn = 0;

  constructor(repository: JobsRepository, handlers: readonly Readonly<Record<string, BoundRunner>>[]) {
    const subscriptions: TopicSubscriptions = new Map();
    const heartbeats: Heartbeats = new Map();
    const clock = new ManualClock();
    this.nodes = handlers.map((each) => {
      const registry = new MemoryNodeRegistry(clock, () => undefined, heartbeats);
      void registry.heartbeat();
      return new WokenNode(
        repository,
        each,
        new MemoryBus(registry.self.nodeId, () => undefined, subscriptions),
        registry,
      );
    });
    const listener = new MemoryBus('listener', () => undefined, subscriptions);
    listener.subscribe('jobs-wake', () => this.passedOn++);
    for (const nodeId of heartbeats.keys()) void listener.follow(nodeAddress(nodeId));
  }

  node(n: number): WokenNode {
    const node = this.nodes[n];
    if (node === undefined) throw new Error(`no node ${n}`);
    return node;
  }

  get claims(): number {
    return this.nodes.reduce((sum, { claimed }) => sum + claimed, 0);
  }

  /** Nobody asks the database for anything. */
  get isIdle(): boolean {
    return this.nodes.every(({ busy }) => busy === 0);
  }

  get ended(): number {
    return this.nodes.reduce((sum, { ended }) => sum + ended.length, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

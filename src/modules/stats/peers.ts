import { Injectable } from '@nestjs/common';
import { Clock } from '../../common/time';
import { Bus, NodeRegistry, type Topic, type Unsubscribe } from '../../platform/cluster';
import { OnStop, StopStage } from '../../platform/lifecycle';
import { FIELDS, type Numbers } from './ring';
import type { NodeNumbers, TenantNumbers } from './views';

/** A node that said nothing for so long is left out. */
const FRESH_MS = 5000;
/** A node tells the others of so many tenants, its busiest. */
export const TOLD_TENANTS = 200;

/** What is the worst of all nodes; everything else is added up. */
const WORST: ReadonlySet<string> = new Set(['p50', 'p99', 'append_oldest_ms'] satisfies (keyof Numbers)[]);

/** The numbers of a sample on their way: JSON has none for "there is none". */
type Told = readonly (number | null)[];

interface NodeSample {
  readonly node: Omit<NodeNumbers, 'startedAt'> & { readonly startedAt: string };
  readonly numbers: Told;
  readonly tenants: readonly (readonly [tenantId: string, numbers: Told])[];
}

interface Peer {
  readonly node: NodeNumbers;
  readonly numbers: Numbers;
  readonly tenants: ReadonlyMap<string, Numbers>;
  readonly heardAt: number;
}

const SAMPLES: Topic<NodeSample> = 'node-samples';

/**
 * What the other nodes said last of themselves, each second, so that any of them can show all.
 *
 * Invariants: a figure of several nodes is their sum, so who is connected to two of them counts twice; of times it is the worst.
 * What a node said more than five seconds ago is left out. Nothing is published where there is no other node.
 */
@Injectable()
export class Peers {
  private readonly known = new Map<string, Peer>();
  private readonly unsubscribe: Unsubscribe;

  constructor(
    private readonly bus: Bus,
    registry: NodeRegistry,
    private readonly clock: Clock,
  ) {
    this.unsubscribe = bus.subscribe(SAMPLES, ({ node, payload }) => {
      if (node !== registry.self.nodeId) this.known.set(node, this.heard(payload));
    });
  }

  /** Tells the others. @param tenants the busiest first */
  publish(node: NodeNumbers, numbers: Numbers, tenants: readonly TenantNumbers[]): void {
    if (!this.bus.isShared) return;
    this.bus.publish(SAMPLES, {
      node: { ...node, startedAt: node.startedAt.toISOString() },
      numbers: told(numbers),
      tenants: tenants
        .slice(0, TOLD_TENANTS)
        .map(({ tenantId, numbers: ofTenant }) => [tenantId, told(ofTenant)] as const),
    });
  }

  nodes(): NodeNumbers[] {
    return this.fresh().map(({ node }) => node);
  }

  /** With what the others said. @param tenantId undefined: of all */
  withOthers(own: Numbers, tenantId?: string): Numbers {
    let sum = own;
    for (const peer of this.fresh()) {
      const theirs = tenantId === undefined ? peer.numbers : peer.tenants.get(tenantId);
      if (theirs !== undefined) sum = together(sum, theirs);
    }
    return sum;
  }

  /** Tenants that others told of, and that are not among these. */
  elsewhere(here: ReadonlySet<string>): Set<string> {
    const ids = this.fresh().flatMap(({ tenants }) => [...tenants.keys()]);
    return new Set(ids.filter((tenantId) => !here.has(tenantId)));
  }

  @OnStop(StopStage.log)
  end(): void {
    this.unsubscribe();
  }

  private heard({ node, numbers, tenants }: NodeSample): Peer {
    return {
      node: { ...node, startedAt: new Date(node.startedAt) },
      numbers: numbersOf(numbers),
      tenants: new Map(tenants.map(([tenantId, ofTenant]) => [tenantId, numbersOf(ofTenant)])),
      heardAt: this.clock.monotonicMs(),
    };
  }

  private fresh(): Peer[] {
    const oldest = this.clock.monotonicMs() - FRESH_MS;
    for (const [node, { heardAt }] of this.known) if (heardAt < oldest) this.known.delete(node);
    return [...this.known.values()];
  }
}

/** Of a tenant that this node has nothing of. */
export const NO_NUMBERS = numbersOf(FIELDS.map((field) => (field === 'p50' || field === 'p99' ? null : 0)));

function told(numbers: Numbers): Told {
  return FIELDS.map((field) => (Number.isNaN(numbers[field]) ? null : numbers[field]));
}

function numbersOf(all: Told): Numbers {
  return Object.fromEntries(FIELDS.map((field, i) => [field, all[i] ?? (i in all ? Number.NaN : 0)])) as Numbers;
}

function together(a: Numbers, b: Numbers): Numbers {
  const pair = (field: keyof Numbers): number => (WORST.has(field) ? worst(a[field], b[field]) : a[field] + b[field]);
  return Object.fromEntries(FIELDS.map((field) => [field, pair(field)])) as Numbers;
}

function worst(a: number, b: number): number {
  return Number.isNaN(a) ? b : Math.max(a, Number.isNaN(b) ? a : b);
}

import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Explorer, markMethod } from '../discovery';

/** What waits for a group commit. */
export interface AppendLevels {
  readonly items: number;
  /** About what they cost in memory. */
  readonly bytes: number;
  /** Since the oldest of them arrived, in ms; 0 where none waits. */
  readonly oldestMs: number;
}

/** The database as this node sees it. */
export interface DatabaseLevels {
  readonly isUp: boolean;
  /** Connections that work now, and the most that there may be. */
  readonly inUse: number;
  readonly size: number;
  /** Calls that wait for a connection. */
  readonly waiting: number;
}

/** What is known at any moment of this node, by name. */
export interface StatValues {
  readonly append: AppendLevels;
  /** Tenants with open sockets, by id. */
  readonly connected: readonly string[];
  /** Open sockets by path. */
  readonly connections: Readonly<Record<string, number>>;
  readonly database: DatabaseLevels;
  /** Users that are online, on all nodes. */
  readonly online: number;
  /** Bytes that wait for clients to take them; looks at every socket. */
  readonly queue_bytes: number;
  /** Rooms that a connection is in. */
  readonly rooms_live: number;
  /** Open answers of server-sent events. */
  readonly sse: number;
}

type StatName = keyof StatValues;

/** Every name, with whether it is known of a single tenant, too. */
export const STAT_DEFINITIONS = {
  append: { perTenant: true },
  connected: { perTenant: false },
  connections: { perTenant: true },
  database: { perTenant: false },
  online: { perTenant: true },
  queue_bytes: { perTenant: true },
  rooms_live: { perTenant: true },
  sse: { perTenant: true },
} as const satisfies Record<StatName, { readonly perTenant: boolean }>;

type TenantStat = { [N in StatName]: (typeof STAT_DEFINITIONS)[N]['perTenant'] extends true ? N : never }[StatName];

const STAT = Symbol('@Stat');

type Reader<N extends StatName> = N extends TenantStat ? (tenantId?: string) => StatValues[N] : () => StatValues[N];

/**
 * Makes the method the one that knows a level: of a tenant by its UUID, of all without. It is called every second, so what
 * it costs must not grow with tenants, rooms or connections, but where the level says so. Each name has one such method, or
 * the server does not start.
 */
export function Stat<N extends StatName>(
  name: N,
): <M extends Reader<N>>(target: object, property: string, descriptor: TypedPropertyDescriptor<M>) => void {
  return (_target, _property, descriptor) => markMethod(STAT, name)(descriptor);
}

/** Finds what `@Stat` marks, and asks it. */
@Injectable()
export class Stats implements OnModuleInit {
  private readonly readers = new Map<string, (tenantId?: string) => unknown>();

  constructor(private readonly explorer: Explorer) {}

  onModuleInit(): void {
    for (const { options, call, name } of this.explorer.methods<StatName>(STAT)) {
      if (this.readers.has(options))
        throw new Error(`Two methods know the level ${options}: one of ${name} is the second`);
      this.readers.set(options, call);
    }
    const missing = Object.keys(STAT_DEFINITIONS).filter((name) => !this.readers.has(name));
    if (missing.length > 0) throw new Error(`No method knows the level ${missing.join(', ')}`);
  }

  /** @param tenantId of one tenant alone */
  level<N extends TenantStat>(name: N, tenantId: string): StatValues[N];
  level<N extends StatName>(name: N): StatValues[N];
  level<N extends StatName>(name: N, tenantId?: string): StatValues[N] {
    // Its decorator has seen to what it answers with.
    return this.readers.get(name)?.(tenantId) as StatValues[N];
  }
}

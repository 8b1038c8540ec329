import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { isUnavailable } from '../../common/errors';
import { NodeRegistry } from '../../platform/cluster';
import { Jobs } from '../../platform/jobs';
import { Every, OnStop, StopStage } from '../../platform/lifecycle';
import { describeError, Log } from '../../platform/logging';
import { RoomFeed } from '../../realtime';
import { ChangesRepository } from './changes.repository';
import { COLLECT, COLLECT_KEY, MOST_ROOMS } from './collector.job';

/** Between two looks at whose changes are collected. */
const REFRESH_MS = 10_000;
/** Rooms that change within this time are one job. */
const GATHER_MS = 100;
/** Before what could not be handed in is tried again. */
const AGAIN_MS = 1000;

/**
 * What this node has committed in rooms of tenants whose changes are collected, handed to their collectors.
 *
 * Invariants
 * - What is committed here is handed to a collector, or a look at all rooms of the tenant is due after it. A room stands here until
 *   its job is stored. A node that did not know of a tenant has noted nothing of it: when it learns of one it asks for a
 *   look, also at its start. What a node that is gone had not handed in yet, the others ask a look for.
 * - A tenant that nobody collects costs a look into a map per commit.
 */
@Injectable()
export class CollectedTenants implements OnModuleInit, OnApplicationBootstrap {
  /** Rooms (UUIDs) that wait to be handed in, by tenant. */
  private readonly changed = new Map<string, Set<string>>();
  /** Tenants of which all rooms are to be looked at, until the job for that is stored. */
  private readonly owed = new Set<string>();
  private ends: readonly (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly feed: RoomFeed,
    private readonly nodes: NodeRegistry,
    private readonly jobs: Jobs,
    private readonly repository: ChangesRepository,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.ends = [
      this.feed.onCommitted(this.changed, (tenantId, roomId) => this.note(tenantId, roomId)),
      this.nodes.onNodeLost(() => {
        for (const tenantId of this.changed.keys()) this.owed.add(tenantId);
      }),
    ];
  }

  /** What cannot be read now the timer reads. */
  async onApplicationBootstrap(): Promise<void> {
    await this.refresh().catch(() => undefined);
  }

  /** The tenant's changes are collected from now on; the caller has seen to it that all rooms are looked at. */
  begin(tenantId: string): void {
    if (!this.changed.has(tenantId)) this.changed.set(tenantId, new Set());
    this.jobs.wake();
  }

  /** Learns of tenants that other nodes, or servers before, were asked for. */
  @Every(REFRESH_MS, 'collected tenants')
  async refresh(): Promise<void> {
    const found = await this.repository.collected();
    for (const tenantId of this.changed.keys()) if (!found.has(tenantId)) this.changed.delete(tenantId);
    for (const [tenantId, isDue] of found) {
      if (isDue || !this.changed.has(tenantId)) this.owed.add(tenantId);
      if (!this.changed.has(tenantId)) this.changed.set(tenantId, new Set());
    }
    for (const tenantId of this.owed) {
      if (found.has(tenantId)) await this.repository.sweepDue(tenantId);
      this.owed.delete(tenantId);
      this.jobs.wake();
    }
  }

  /** What the last requests have committed; where the database is away the next start looks at all rooms. */
  @OnStop(StopStage.log)
  async stop(): Promise<void> {
    for (const end of this.ends) end();
    clearTimeout(this.timer);
    await this.handIn();
  }

  private note(tenantId: string, roomId: string): void {
    const rooms = this.changed.get(tenantId);
    if (rooms === undefined) return;
    rooms.add(roomId);
    this.timer ??= this.later(GATHER_MS);
  }

  private later(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.timer = undefined;
      void this.handIn().catch((error: unknown) => {
        if (!isUnavailable(error)) this.log.error({ error: describeError(error) }, 'changes wait for their collector');
        this.timer ??= this.later(AGAIN_MS);
      });
    }, ms).unref();
  }

  /** One tenant's failure holds up no other. @throws the first of them */
  private async handIn(): Promise<void> {
    const failures: unknown[] = [];
    for (const [tenantId, rooms] of this.changed)
      await this.handInOf(tenantId, rooms).catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  private async handInOf(tenantId: string, rooms: Set<string>): Promise<void> {
    while (rooms.size > 0) {
      const some = [...rooms].slice(0, MOST_ROOMS);
      // What is committed from here on is noted anew: the job may be past its room.
      for (const room of some) rooms.delete(room);
      try {
        await this.jobs.add(tenantId, [COLLECT.job(COLLECT_KEY, { room_ids: some })]);
      } catch (error) {
        for (const room of some) rooms.add(room);
        throw error;
      }
    }
  }
}

import { Injectable } from '@nestjs/common';
import { Leases } from '../../platform/cluster';

/** Who is online: a user is, while any of their connections holds its lease, on whichever node. */
@Injectable()
export class Presence {
  constructor(private readonly leases: Leases) {}

  /** Those of the users that are online. */
  async online(tenantId: string, userIds: readonly string[]): Promise<ReadonlySet<string>> {
    if (userIds.length === 0) return new Set();
    const prefix = `presence:${tenantId}:`;
    const alive = await this.leases.alive(userIds.map((id) => prefix + id));
    return new Set([...alive].map((key) => key.slice(prefix.length)));
  }
}

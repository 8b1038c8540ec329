import { Injectable } from '@nestjs/common';
import { decodeId, timeOf } from '../../../common/ids';
import { NodeRegistry } from '../../../platform/cluster';
import { Connections, Deliveries, Redelivery, SOCKET_PATH } from '../../../realtime';
import type { TraceConnectionDto } from '../dto/trace.dto';

/** What this node's memory tells of how far connections were sent a room. */
@Injectable()
export class TraceConnections {
  constructor(
    private readonly connections: Connections,
    private readonly deliveries: Deliveries,
    private readonly redelivery: Redelivery,
    private readonly nodes: NodeRegistry,
  ) {}

  /** Whether connections may be open that this node does not see. */
  async hasOtherNodes(): Promise<boolean> {
    return (await this.nodes.nodes()).length > 1;
  }

  /** Those of each of these users, in one walk through all of the tenant; who has none is missing. @param roomId UUID */
  of(
    tenantId: string,
    userIds: readonly string[],
    roomId: string,
    seq: number,
  ): ReadonlyMap<string, TraceConnectionDto[]> {
    const found = new Map<string, TraceConnectionDto[]>();
    const wanted = new Set(userIds);
    for (const connection of this.connections.ofTenant(tenantId)) {
      const { id, userId, endpoint } = connection;
      if (!wanted.has(userId) || endpoint.path !== SOCKET_PATH) continue;
      const times = this.redelivery.timesSent(connection, roomId, seq);
      const view = {
        node_id: this.nodes.self.nodeId,
        connection_id: id,
        opened_at: timeOf(decodeId('connection', id) ?? '').toISOString(),
        sent: (this.deliveries.sentThrough(connection, roomId) ?? 0) >= seq,
        redelivered: times === undefined ? null : times - 1,
      };
      found.set(userId, [...(found.get(userId) ?? []), view]);
    }
    return found;
  }
}

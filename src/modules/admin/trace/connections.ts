import { Injectable } from '@nestjs/common';
import { decodeId, timeOf } from '../../../common/ids';
import { NodeAsks, NodeRegistry, type NodeQuestion } from '../../../platform/cluster';
import { Connections, Deliveries, Redelivery, SOCKET_PATH } from '../../../realtime';
import type { TraceConnectionDto } from '../dto/trace.dto';

interface TraceQuestion {
  readonly tenantId: string;
  readonly userIds: readonly string[];
  /** UUID. */
  readonly roomId: string;
  readonly seq: number;
}

/** By user; who has none is missing. */
type OpenOfUsers = readonly (readonly [userId: string, connection: TraceConnectionDto])[];

const TRACE: NodeQuestion<TraceQuestion, OpenOfUsers> = 'trace-connections';

/** What the memory of the nodes tells of how far connections were sent a room. */
@Injectable()
export class TraceConnections {
  constructor(
    private readonly connections: Connections,
    private readonly deliveries: Deliveries,
    private readonly redelivery: Redelivery,
    private readonly nodes: NodeRegistry,
    private readonly asks: NodeAsks,
  ) {
    asks.answer(TRACE, (question) => this.here(question));
  }

  /** Those of each of these users on all nodes; and whether a node did not answer. */
  async of(question: TraceQuestion): Promise<{ open: ReadonlyMap<string, TraceConnectionDto[]>; isWhole: boolean }> {
    const { answers, silent } = await this.asks.ask(TRACE, question);
    const open = new Map<string, TraceConnectionDto[]>();
    for (const [userId, connection] of [...this.here(question), ...[...answers.values()].flat()])
      open.set(userId, [...(open.get(userId) ?? []), connection]);
    return { open, isWhole: silent.length === 0 };
  }

  /** In one walk through all of the tenant. */
  private here({ tenantId, userIds, roomId, seq }: TraceQuestion): [string, TraceConnectionDto][] {
    const found: [string, TraceConnectionDto][] = [];
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
      found.push([userId, view]);
    }
    return found;
  }
}

import { Injectable } from '@nestjs/common';
import { forbidden, notFound, unauthenticated, unavailable } from '../../../common/errors';
import { decodeId, encodeId, timeOf } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
import { NodeAsks, NodeRegistry, type NodeQuestion } from '../../../platform/cluster';
import { askedPage, pageOf } from '../../../platform/http';
import { Effects } from '../../../platform/idempotency';
import { Audience, CloseCode, Connections, type SocketConnection } from '../../../realtime';
import { KeysService, TenantsService } from '../../tenants';
import type {
  CloseConnectionQueryDto,
  ConnectionDto,
  ConnectionsDto,
  ConnectionsQueryDto,
} from '../dto/connection.dto';

const REASON = 'An administrator closed this connection';

interface PageQuestion {
  readonly tenantId: string;
  readonly userId: string | null;
  /** The id of the last one before, `conn_…`. */
  readonly after: string | null;
  readonly most: number;
}

interface CloseQuestion {
  readonly tenantId: string;
  readonly connectionId: string;
  /** null: only says whose it is. */
  readonly code: number | null;
}

/** A connection as the node sees it that has it: all but the name of its key. */
interface OpenConnection extends Omit<ConnectionDto, 'credential'> {
  readonly kind: string;
  /** UUID. */
  readonly keyId: string | null;
}

const PAGE: NodeQuestion<PageQuestion, readonly OpenConnection[]> = 'connections-page';
const CLOSE: NodeQuestion<CloseQuestion, { readonly userId: string } | null> = 'connection-close';

/** The open sockets of this node, for whoever asks, here or on another node. */
@Injectable()
export class OpenConnections {
  constructor(
    private readonly connections: Connections,
    private readonly audience: Audience,
    private readonly nodes: NodeRegistry,
    asks: NodeAsks,
  ) {
    asks.answer(PAGE, (question) => this.page(question));
    asks.answer(CLOSE, (question) => this.close(question) ?? null);
  }

  page({ tenantId, userId, after, most }: PageQuestion): OpenConnection[] {
    const found = this.connections.pageOf(tenantId, userId ?? undefined, after ?? undefined, most);
    return found.map((connection) => this.view(connection));
  }

  /** Whose it was; undefined: it is not open here. */
  close({ tenantId, connectionId, code }: CloseQuestion): { readonly userId: string } | undefined {
    const found = this.connections.find(tenantId, connectionId);
    if (found?.isOpen !== true) return undefined;
    if (code === CloseCode.credential) found.dismiss(unauthenticated(REASON), code);
    else if (code === CloseCode.notAllowed) found.dismiss(forbidden(REASON), code);
    else if (code !== null) found.close(code, `${REASON}; reconnect`);
    return { userId: found.userId };
  }

  private view(connection: SocketConnection): OpenConnection {
    const { id, userId, endpoint, origin, caller } = connection;
    return {
      connection_id: id,
      node_id: this.nodes.self.nodeId,
      user_id: userId,
      path: endpoint.path,
      since: timeOf(uuidOf(id)).toISOString(),
      address: origin.address,
      agent: origin.agent,
      kind: caller.kind,
      keyId: caller.keyId ?? null,
      rooms: this.audience.roomsOf(connection),
      bytes_in: connection.bytesRead,
      bytes_out: connection.bytesWritten,
      queue_bytes: connection.waiting,
    };
  }
}

/** Shows the open sockets of a tenant on all nodes, and closes one. */
@Injectable()
export class AdminConnectionsService {
  constructor(
    private readonly open: OpenConnections,
    private readonly asks: NodeAsks,
    private readonly tenants: TenantsService,
    private readonly keys: KeysService,
    private readonly effects: Effects,
  ) {}

  /** Costs one statement, for the names of the keys of the page. */
  async list(caller: Caller, query: ConnectionsQueryDto): Promise<ConnectionsDto> {
    const { limit, after } = askedPage(query, ['uuid']);
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const question: PageQuestion = {
      tenantId,
      userId: query.user_id ?? null,
      after: after === undefined ? null : encodeId('connection', after[0]),
      most: limit + 1,
    };
    const { answers, silent } = await this.asks.ask(PAGE, question);
    const all = [...this.open.page(question), ...[...answers.values()].flat()];
    // Each node's stand in the order of their ids.
    if (answers.size > 0) all.sort((a, b) => (a.connection_id < b.connection_id ? -1 : 1));
    const shown = all.slice(0, limit);
    const keys = await this.keys.named(tenantId, [...new Set(shown.flatMap(({ keyId }) => keyId ?? []))]);
    const page = pageOf(
      all,
      limit,
      ({ connection_id: id }) => [uuidOf(id)],
      (connection) => viewOf(connection, keys),
    );
    return { ...page, missing_nodes: [...silent] };
  }

  /** Throws 404 where it is not open, and 503 where that is not known since a server did not answer. */
  async close(caller: Caller, connectionId: string, query: CloseConnectionQueryDto): Promise<void> {
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const found = await this.onAnyNode({ tenantId, connectionId, code: null });
    const code = Number(query.code ?? CloseCode.tryLater);
    await this.effects.announce(caller, tenantId, 'connection.close', {
      target: connectionId,
      user: found.userId,
      details: { asked: true, code },
    });
    await this.onAnyNode({ tenantId, connectionId, code });
  }

  private async onAnyNode(question: CloseQuestion): Promise<{ readonly userId: string }> {
    const here = this.open.close(question);
    if (here !== undefined) return here;
    const { answers, silent } = await this.asks.ask(CLOSE, question);
    const found = [...answers.values()].find((answer) => answer !== null);
    if (found) return found;
    if (silent.length > 0) throw unavailable('A server that may have this connection did not answer');
    throw notFound('Connection');
  }
}

function viewOf(
  { kind, keyId, ...connection }: OpenConnection,
  keys: Awaited<ReturnType<KeysService['named']>>,
): ConnectionDto {
  const key = keys.get(keyId ?? '');
  return {
    ...connection,
    credential: {
      kind,
      key_id: keyId === null ? null : encodeId('key', keyId),
      key_name: key?.name ?? null,
      key_prefix: key?.prefix ?? null,
    },
  };
}

function uuidOf(connectionId: string): string {
  return decodeId('connection', connectionId) ?? '';
}

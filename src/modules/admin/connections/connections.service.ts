import { Injectable } from '@nestjs/common';
import { forbidden, notFound, unauthenticated } from '../../../common/errors';
import { decodeId, encodeId, timeOf } from '../../../common/ids';
import type { Caller } from '../../../platform/auth';
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

/** Shows the open sockets of a tenant, and closes one. */
@Injectable()
export class AdminConnectionsService {
  constructor(
    private readonly connections: Connections,
    private readonly audience: Audience,
    private readonly tenants: TenantsService,
    private readonly keys: KeysService,
    private readonly effects: Effects,
  ) {}

  /** Costs one statement, for the names of the keys of the page. */
  async list(caller: Caller, query: ConnectionsQueryDto): Promise<ConnectionsDto> {
    const { limit, after } = askedPage(query, ['uuid']);
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const last = after && encodeId('connection', after[0]);
    const open = this.connections.pageOf(tenantId, query.user_id, last, limit + 1);
    const keys = await this.keys.named(tenantId, [...new Set(open.flatMap(({ caller: { keyId } }) => keyId ?? []))]);
    return pageOf(
      open,
      limit,
      ({ id }) => [uuidOf(id)],
      (connection) => this.view(connection, keys),
    );
  }

  /** Throws 404 where it is not open. */
  async close(caller: Caller, connectionId: string, query: CloseConnectionQueryDto): Promise<void> {
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const found = this.connections.find(tenantId, connectionId);
    if (found?.isOpen !== true) throw notFound('Connection');
    const code = Number(query.code ?? CloseCode.tryLater);
    await this.effects.announce(caller, tenantId, 'connection.close', {
      target: connectionId,
      user: found.userId,
      details: { asked: true, code },
    });
    if (code === CloseCode.credential) found.dismiss(unauthenticated(REASON), code);
    else if (code === CloseCode.notAllowed) found.dismiss(forbidden(REASON), code);
    else found.close(code, `${REASON}; reconnect`);
  }

  private view(connection: SocketConnection, keys: Awaited<ReturnType<KeysService['named']>>): ConnectionDto {
    const { id, userId, endpoint, origin, caller } = connection;
    const key = keys.get(caller.keyId ?? '');
    return {
      connection_id: id,
      user_id: userId,
      path: endpoint.path,
      since: timeOf(uuidOf(id)).toISOString(),
      address: origin.address,
      agent: origin.agent,
      credential: {
        kind: caller.kind,
        key_id: caller.keyId === undefined ? null : encodeId('key', caller.keyId),
        key_name: key?.name ?? null,
        key_prefix: key?.prefix ?? null,
      },
      rooms: this.audience.roomsOf(connection),
      bytes_in: connection.bytesRead,
      bytes_out: connection.bytesWritten,
      queue_bytes: connection.waiting,
    };
  }
}

function uuidOf(connectionId: string): string {
  return decodeId('connection', connectionId) ?? '';
}

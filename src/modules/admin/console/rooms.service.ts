import { Injectable } from '@nestjs/common';
import { notFound } from '../../../common/errors';
import type { Caller } from '../../../platform/auth';
import { askedPage, pageOf } from '../../../platform/http';
import { Audience } from '../../../realtime';
import { MessageFacts } from '../../messages';
import { RoomLists, roomUuid } from '../../rooms';
import { TenantsService } from '../../tenants';
import type { AdminRoomDetailDto, AdminRoomsDto, AdminRoomsQueryDto, LookQueryDto } from '../dto/console.dto';
import { Looks } from './looks';
import { AdminMembers } from './members';
import { adminRoomView, NEWEST } from './views';

/** Shows the rooms of a tenant. */
@Injectable()
export class AdminRoomsService {
  constructor(
    private readonly lists: RoomLists,
    private readonly members: AdminMembers,
    private readonly messages: MessageFacts,
    private readonly tenants: TenantsService,
    private readonly audience: Audience,
    private readonly looks: Looks,
  ) {}

  async list(caller: Caller, query: AdminRoomsQueryDto): Promise<AdminRoomsDto> {
    const { prefix, type } = query;
    if (prefix !== undefined) return this.named(caller, { ...query, prefix });
    const { limit, after } = askedPage(query, ['uuid']);
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const rooms = await this.lists.page(tenantId, type, after?.[0], limit + 1);
    return pageOf(rooms, limit, ({ room_id }) => [room_id], adminRoomView);
  }

  /** Throws 404 where the tenant has no such room. */
  async look(caller: Caller, roomId: string, query: LookQueryDto): Promise<AdminRoomDetailDto> {
    const { limit, after } = askedPage(query, ['integer']);
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const uuid = roomUuid(roomId);
    const room = await this.lists.find(tenantId, uuid);
    if (room === undefined) throw notFound('Room');
    const members = await this.lists.membersAfter(tenantId, uuid, after?.[0] ?? 0, limit + 1);
    const page = pageOf(
      members,
      limit,
      ({ member_no }) => [member_no],
      (member) => member,
    );
    const view = {
      ...adminRoomView(room),
      metadata: room.metadata,
      live_connections: [...this.audience.members(tenantId, uuid)].length,
      members: await this.members.views(tenantId, uuid, page.items),
      next: page.next,
    };
    if (query.content !== true) {
      this.looks.none(caller);
      return view;
    }
    await this.looks.room(caller, tenantId, uuid);
    return { ...view, messages: await this.messages.newest(tenantId, uuid, NEWEST) };
  }

  private async named(caller: Caller, query: AdminRoomsQueryDto & { readonly prefix: string }): Promise<AdminRoomsDto> {
    const { limit, after } = askedPage(query, ['text', 'uuid']);
    const tenantId = await this.tenants.scoped(caller, query.tenant_id);
    const found = await this.lists.named(tenantId, query.prefix, query.type, after, limit + 1);
    const { items, next } = pageOf(
      found,
      limit,
      ({ key, room_id }) => [key, room_id],
      ({ room }) => room,
    );
    return { items: items.flatMap((room) => (room === undefined ? [] : [adminRoomView(room)])), next };
  }
}

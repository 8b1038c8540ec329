import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { pageRequest } from '../../../common/limits';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, PageQueryDto, WithTotal } from '../../../platform/http';
import { AddMembersDto, MemberDto, SetRoleDto } from '../dto/member.dto';
import { MembersService } from './members.service';

@ApiTags('Members')
@Controller('rooms/:room_id')
export class MembersController {
  constructor(private readonly members: MembersService) {}

  /**
   * List a room's members in the order of joining.
   * @remarks
   * Of a group or dm its members may ask (else 403); of a channel everybody in the tenant. `X-Total-Count` counts
   * all.
   */
  @Get('members')
  @Access('user')
  @ApiErrors('NOT_FOUND')
  @WithTotal()
  async list(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Query() query: PageQueryDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MemberDto[]> {
    const { items, total } = await this.members.list(caller, roomId, pageRequest(query));
    reply.header('X-Total-Count', total);
    return items;
  }

  /**
   * Add members; answers with those that were named. Room admins; a dm's members are fixed.
   * @remarks
   * Who is a member already stays as they are. Ids that are new make users. Others than admins are 403; so is any
   * change of a dm's members. All are told by `member.joined` frames.
   */
  @Post('members')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  add(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Body() body: AddMembersDto,
  ): Promise<MemberDto[]> {
    return this.members.add(caller, roomId, body);
  }

  /**
   * Change a member's role. Room admins; a room keeps at least one admin.
   * @remarks
   * `admin` or `member`. To take the last admin's role away is CONFLICT: name another first. Who is no member is 404.
   */
  @Patch('members/:user_id')
  @Access('user')
  @Audited('member.role')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  setRole(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('user_id') userId: string,
    @Body() body: SetRoleDto,
  ): Promise<MemberDto> {
    return this.members.setRole(caller, roomId, userId, body.role);
  }

  /**
   * Remove a member, or leave with my own id. The last admin's leaving promotes the oldest member.
   * @remarks
   * I may remove myself; others may be removed by admins, else 403. Nobody leaves a dm (403). Who is no member is
   * 404. All are told by a `member.left` frame.
   */
  @Delete('members/:user_id')
  @HttpCode(204)
  @Access('user')
  @Audited('member.remove')
  @ApiErrors('NOT_FOUND')
  remove(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('user_id') userId: string,
  ): Promise<void> {
    return this.members.remove(caller, roomId, userId);
  }

  /**
   * Join a channel; joining again changes nothing.
   * @remarks
   * Only channels can be joined; a group or dm is 403, and a room that does not exist 404.
   */
  @Post('join')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  join(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string): Promise<MemberDto> {
    return this.members.join(caller, roomId);
  }
}

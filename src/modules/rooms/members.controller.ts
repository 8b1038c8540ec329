import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { pageRequest } from '../../common/pagination';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller, PageQueryDto, WithTotal } from '../../platform/http';
import { AddMembersDto, MemberDto, SetRoleDto } from './dto/member.dto';
import { MembersService } from './members.service';

@ApiTags('Members')
@Controller('rooms/:room_id')
export class MembersController {
  constructor(private readonly members: MembersService) {}

  /** List a room's members in the order of joining. */
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

  /** Add members; answers with those that were named. Room admins; a dm's members are fixed. */
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

  /** Change a member's role. Room admins; a room keeps at least one admin. */
  @Patch('members/:user_id')
  @Access('user')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  setRole(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('user_id') userId: string,
    @Body() body: SetRoleDto,
  ): Promise<MemberDto> {
    return this.members.setRole(caller, roomId, userId, body.role);
  }

  /** Remove a member, or leave with my own id. The last admin's leaving promotes the oldest member. */
  @Delete('members/:user_id')
  @HttpCode(204)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  remove(
    @CurrentCaller() caller: Caller,
    @Param('room_id') roomId: string,
    @Param('user_id') userId: string,
  ): Promise<void> {
    return this.members.remove(caller, roomId, userId);
  }

  /** Join a channel; joining again changes nothing. */
  @Post('join')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  join(@CurrentCaller() caller: Caller, @Param('room_id') roomId: string): Promise<MemberDto> {
    return this.members.join(caller, roomId);
  }
}

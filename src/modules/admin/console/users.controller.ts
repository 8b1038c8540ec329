import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { AdminUserDetailDto, AdminUsersDto, AdminUsersQueryDto, LookQueryDto } from '../dto/console.dto';
import { AdminUsersService } from './users.service';

@ApiTags('Admin')
@Controller('admin/users')
export class AdminUsersController {
  constructor(private readonly users: AdminUsersService) {}

  /**
   * List the users of a tenant in the order of their ids, or find them by the beginning of these.
   * @remarks
   * With the master key `tenant_id` says whose (400 without it).
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  list(@CurrentCaller() caller: Caller, @Query() query: AdminUsersQueryDto): Promise<AdminUsersDto> {
    return this.users.list(caller, query);
  }

  /**
   * Look at a user: their rooms, and how far they are in each.
   * @remarks
   * The rooms come page by page. Their own messages are shown with `content=true` alone, and that is written to the audit log:
   * the newest of the rooms in which something was said last, not all that they have ever written. With the master key
   * `tenant_id` says whose user it is (400 without it).
   */
  @Get(':user_id')
  @Access('admin')
  @Audited('user.read_content')
  @ApiErrors('NOT_FOUND')
  get(
    @CurrentCaller() caller: Caller,
    @Param('user_id') userId: string,
    @Query() query: LookQueryDto,
  ): Promise<AdminUserDetailDto> {
    return this.users.look(caller, userId, query);
  }
}

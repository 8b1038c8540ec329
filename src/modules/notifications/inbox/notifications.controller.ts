import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { pageRequest } from '../../../common/limits';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, PageQueryDto, SuccessDto } from '../../../platform/http';
import { InboxPageDto, NotifiedDto, NotifyDto } from '../dto/notification.dto';
import { NotificationsService } from './notifications.service';

@ApiTags('Notifications')
@Controller()
export class NotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  /**
   * Send a notification to users, the members of a room, the subscribers of its topic: each of them once. API keys
   * only.
   * @remarks
   * Stored before it is answered (202), then handed out: live to who is connected, and to the inbox of all. Targets
   * can be combined; none at all is 400, a room that does not exist 404. At most 1,000 `user_ids` in a call.
   */
  @Post('notify')
  @HttpCode(202)
  @Access('tenantKey')
  @ApiErrors('NOT_FOUND')
  notify(@CurrentCaller() caller: Caller, @Body() body: NotifyDto): Promise<NotifiedDto> {
    return this.notifications.notify(caller, body);
  }

  /**
   * List my notifications, newest first.
   * @remarks
   * Read ones too; `read_at` says when. Pages by `limit` and `offset`.
   */
  @Get('notifications')
  @Access('user')
  inbox(@CurrentCaller() caller: Caller, @Query() query: PageQueryDto): Promise<InboxPageDto> {
    return this.notifications.listInbox(caller, pageRequest(query));
  }

  /**
   * Mark one of my notifications read; implies that it is delivered.
   * @remarks
   * Once: a repeat changes nothing. Somebody else's, or an unknown one, is 404.
   */
  @Post('notifications/:notification_id/read')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  async read(@CurrentCaller() caller: Caller, @Param('notification_id') notificationId: string): Promise<SuccessDto> {
    await this.notifications.read(caller, notificationId);
    return { success: true };
  }
}

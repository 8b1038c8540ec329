import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { pageRequest } from '../../../common/limits';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller, PageQueryDto } from '../../../platform/http';
import { SubscribeTopicDto, TopicSubscriptionDto, TopicSubscriptionPageDto } from '../dto/subscription.dto';
import { SubscriptionsService } from './subscriptions.service';

@ApiTags('Notifications')
@Controller('subscriptions')
export class SubscriptionsController {
  constructor(private readonly subscriptions: SubscriptionsService) {}

  /**
   * Subscribe to a topic: I get what is sent to its subscribers from now on. A repeat answers 200 with the first one.
   * @remarks
   * A topic is a name of yours, such as `order.shipped`. CONFLICT only where the subscription is ended at the same
   * moment: try again.
   */
  @Post()
  @Access('user')
  @ApiErrors('CONFLICT')
  @ApiCreatedResponse({ type: TopicSubscriptionDto, description: 'I am subscribed from now on.' })
  @ApiOkResponse({ type: TopicSubscriptionDto, description: 'I was subscribed already.' })
  async subscribe(
    @CurrentCaller() caller: Caller,
    @Body() body: SubscribeTopicDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TopicSubscriptionDto> {
    const { created, subscription } = await this.subscriptions.subscribeUser(caller, body.topic);
    if (!created) reply.status(200);
    return subscription;
  }

  /**
   * List my subscriptions, oldest first.
   * @remarks
   * Pages by `limit` and `offset`.
   */
  @Get()
  @Access('user')
  list(@CurrentCaller() caller: Caller, @Query() query: PageQueryDto): Promise<TopicSubscriptionPageDto> {
    return this.subscriptions.list(caller, pageRequest(query));
  }

  /**
   * End one of my subscriptions.
   * @remarks
   * What was sent before stays in the inbox. Somebody else's, or an unknown one, is 404.
   */
  @Delete(':subscription_id')
  @HttpCode(204)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  unsubscribe(@CurrentCaller() caller: Caller, @Param('subscription_id') subscriptionId: string): Promise<void> {
    return this.subscriptions.unsubscribe(caller, subscriptionId);
  }
}

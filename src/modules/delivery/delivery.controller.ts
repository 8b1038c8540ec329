import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller, SuccessDto } from '../../platform/http';
import { DeliveryService } from './delivery.service';
import { PositionDto } from './dto/position.dto';

@ApiTags('Delivery')
@Controller()
export class DeliveryController {
  constructor(private readonly delivery: DeliveryService) {}

  /**
   * Acknowledge messages: I have everything up to and including seq. Only moves forward.
   * @remarks
   * A cursor per member, and it never goes back: a lower seq changes nothing. Beyond the newest message it is refused
   * (400). A client that acks is sent again what it does not acknowledge. A room that I am not in is 403.
   */
  @Post('acks')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  async ack(@CurrentCaller() caller: Caller, @Body() body: PositionDto): Promise<SuccessDto> {
    await this.delivery.ack(caller, body);
    return { success: true };
  }

  /**
   * Mark messages read, up to and including seq; implies the acknowledgement.
   * @remarks
   * Moves `last_read_seq`, by which `unread_count` counts, and the acknowledgement with it; neither goes back. Others
   * in small rooms are told by `read.update`. A room that I am not in is 403.
   */
  @Post('reads')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  async read(@CurrentCaller() caller: Caller, @Body() body: PositionDto): Promise<SuccessDto> {
    await this.delivery.read(caller, body);
    return { success: true };
  }
}

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

  /** Acknowledge messages: I have everything up to and including seq. Only moves forward. */
  @Post('acks')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  async ack(@CurrentCaller() caller: Caller, @Body() body: PositionDto): Promise<SuccessDto> {
    await this.delivery.ack(caller, body);
    return { success: true };
  }

  /** Mark messages read, up to and including seq; implies the acknowledgement. */
  @Post('reads')
  @HttpCode(200)
  @Access('user')
  @ApiErrors('NOT_FOUND')
  async read(@CurrentCaller() caller: Caller, @Body() body: PositionDto): Promise<SuccessDto> {
    await this.delivery.read(caller, body);
    return { success: true };
  }
}

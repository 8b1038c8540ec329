import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../platform/auth';
import { CurrentCaller } from '../../platform/http';
import { CreateTokenDto, TicketDto, TokenCreatedDto } from './dto/token.dto';
import { TokensService } from './tokens.service';

@ApiTags('Tokens')
@Controller()
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  /** Mint a user token: with it a browser or app acts as that user and nobody else. API keys only. */
  @Post('tokens')
  @Access('tenantKey', { secretAnswer: true })
  create(@CurrentCaller() caller: Caller, @Body() body: CreateTokenDto): Promise<TokenCreatedDto> {
    return this.tokens.create(caller, body);
  }

  /** Mint a ticket: single use, 60 seconds, opens one socket as the caller. */
  @Post('ws/token')
  @HttpCode(200)
  @Access('user', { secretAnswer: true })
  ticket(@CurrentCaller() caller: Caller): Promise<TicketDto> {
    return this.tokens.ticket(caller);
  }
}

import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Access, type Caller } from '../../platform/auth';
import { CurrentCaller } from '../../platform/http';
import { CreateTokenDto, TicketDto, TokenCreatedDto } from './dto/key.dto';
import { TokensService } from './tokens.service';

@ApiTags('Tokens')
@Controller()
export class TokensController {
  constructor(private readonly tokens: TokensService) {}

  /**
   * Mint a user token: with it a browser or app acts as that user and nobody else. API keys only.
   * @remarks
   * For browsers and apps: ask for it from your back end and hand it on. It lives 15 minutes unless `expires_in` says
   * otherwise (at most an hour), and no longer than the key that minted it. User tokens cannot mint tokens (403).
   */
  @Post('tokens')
  @Access('tenantKey', { secretAnswer: true })
  create(@CurrentCaller() caller: Caller, @Body() body: CreateTokenDto): Promise<TokenCreatedDto> {
    return this.tokens.create(caller, body);
  }

  /**
   * Mint a ticket: single use, 60 seconds, opens one socket as the caller.
   * @remarks
   * For browsers, which cannot send headers with a WebSocket: connect with it as `?token=`. It is used up by the
   * first connection that is opened; a second use is 401. The connection lives as long as the credential that this
   * call was made with.
   */
  @Post('ws/token')
  @HttpCode(200)
  @Access('user', { secretAnswer: true })
  ticket(@CurrentCaller() caller: Caller): Promise<TicketDto> {
    return this.tokens.ticket(caller);
  }
}

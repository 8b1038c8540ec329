import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Access, type Caller } from '../../../platform/auth';
import { CurrentCaller } from '../../../platform/http';
import { CanIAnswerDto, CanIDto, WhoamiDto } from '../dto/whoami.dto';
import { CallRules } from './call-rules';
import { WhoamiService } from './whoami.service';

@ApiTags('Tokens')
@Controller()
export class WhoamiController {
  constructor(
    private readonly whoamis: WhoamiService,
    private readonly rules: CallRules,
  ) {}

  /**
   * Tell what this credential is: tenant, user, scopes, when it ends, and what is left of the limits.
   * @remarks
   * For any credential. An API key may come with `X-User-Id`: then the limits of that user are told too. What is left may be
   * less a moment later; the call itself counts.
   */
  @Get('whoami')
  @Access('anyCredential')
  whoami(@CurrentCaller() caller: Caller): Promise<WhoamiDto> {
    return this.whoamis.describe(caller);
  }

  /**
   * Ask whether this credential may make a call, and which rule says so. Nothing is done.
   * @remarks
   * For any credential; an API key asks with the `X-User-Id` that it would call with. What a room or a chat decides by
   * itself is said in `depends_on`. `allowed` says nothing of limits, nor whether what is asked for exists.
   */
  @Post('can-i')
  @HttpCode(200)
  @Access('anyCredential')
  canI(@CurrentCaller() caller: Caller, @Req() request: FastifyRequest, @Body() body: CanIDto): CanIAnswerDto {
    return this.rules.judge(caller, request, body);
  }
}

import { Controller, Get, Headers, Req, Res } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { unauthenticated } from '../../common/errors';
import { HttpConfig } from '../../config';
import { Access, BadCredential, CredentialVerifier } from '../auth';
import { ApiErrors } from '../http';
import { Metrics } from '../metrics';
import { FailedCredentials } from '../rate-limit';
import { HealthDto, ProbeDto } from './health.dto';
import { HealthService } from './health.service';

@ApiTags('Health')
@Controller()
export class HealthController {
  constructor(
    private readonly health: HealthService,
    private readonly metrics: Metrics,
    private readonly config: HttpConfig,
    private readonly verifier: CredentialVerifier,
    private readonly failures: FailedCredentials,
  ) {}

  /** Whether the server can do its work: `db_writable` comes from a real write, and is false while the disk of the database is full. 503 with status "error" when not. */
  @Get('health')
  @Access('public')
  @ApiResponse({ status: 503, description: 'The database cannot be written.', type: HealthDto })
  async report(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthDto> {
    const report = await this.health.report();
    if (report.status === 'error') reply.status(503).header('Retry-After', 1);
    return report;
  }

  /** Whether the process lives, for orchestrators: restart it when this fails. */
  @Get('health/live')
  @Access('public')
  live(): ProbeDto {
    return { status: 'ok' };
  }

  /**
   * Whether requests should be sent here, for load balancers: 503 while starting, stopping or without database. 200 while
   * only the disk is full: what is there can be read.
   */
  @Get('health/ready')
  @Access('public')
  @ApiResponse({ status: 503, description: 'Starting, stopping, or the database is away.', type: ProbeDto })
  ready(@Res({ passthrough: true }) reply: FastifyReply): ProbeDto {
    if (this.health.ready) return { status: 'ok' };
    reply.status(503).header('Retry-After', 1);
    return { status: 'error' };
  }

  /** Metrics as Prometheus text. With METRICS_PUBLIC=false the master key is needed. */
  @Get('metrics')
  @Access('public')
  @ApiErrors('AUTHENTICATION_ERROR', 'RATE_LIMIT_EXCEEDED')
  @ApiProduces('text/plain')
  @ApiResponse({
    status: 200,
    description: 'Prometheus text.',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  async metricsText(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('x-master-key') key?: string,
  ): Promise<string> {
    if (!this.config.metricsPublic) {
      if (key === undefined) throw unauthenticated('X-Master-Key is required');
      if (!this.verifier.isMasterKey(key))
        throw await this.failures.refusal(new BadCredential('Invalid master key', 'master', {}), request);
    }
    reply.type(this.metrics.contentType);
    return this.metrics.text();
  }

  /** Browsers ask for it on every visit of the docs. */
  @Get('favicon.ico')
  @Access('public')
  @ApiExcludeEndpoint()
  favicon(@Res({ passthrough: true }) reply: FastifyReply): void {
    reply.status(204);
  }
}

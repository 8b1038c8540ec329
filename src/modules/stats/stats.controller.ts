import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Readable } from 'node:stream';
import { invalid } from '../../common/errors';
import { Access, type Caller } from '../../platform/auth';
import { ApiErrors, CurrentCaller, SseAnswer } from '../../platform/http';
import { StatsDto, StatsHistoryDto, StatsHistoryQueryDto, StatsQueryDto } from './dto/stats.dto';
import { StatsService } from './stats.service';
import { StatsStreams } from './streams';

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  required: false,
  description:
    'The `id` of the last sample that you have: the stream goes on after it, as far as the last ten minutes reach; `0` gives all of them. Without it the newest comes first. Anything but a number is refused (400).',
} as const;

const EXAMPLE = [
  'id: 1764000000',
  'data: {"id":1764000000,"at":"2025-11-24T16:00:00.000Z","tenant_id":null,"figures":{…},"counts":{…},"tenants":[…],"nodes":[…]}',
  '',
  '',
].join('\n');

@ApiTags('Admin')
@Controller('admin/stats')
export class StatsController {
  constructor(
    private readonly stats: StatsService,
    private readonly streams: StatsStreams,
  ) {}

  /**
   * How things are now: connections, rates, times of sends, what waits.
   * @remarks
   * With the master key of the whole installation, the busiest tenants and each server among it, or of `tenant_id`. An
   * admin key sees its own tenant; another one's id is 404. The figures are those of the servers' memory, at most two
   * seconds old; of several servers they are added up, so who is connected to two of them counts twice, and of times the
   * worst is given. Each tells of its 200 busiest tenants. `counts` are asked of the database, and at most ten seconds old.
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  now(@CurrentCaller() caller: Caller, @Query() query: StatsQueryDto): Promise<StatsDto> {
    return this.stats.now(caller, query.tenant_id);
  }

  /**
   * The same each second, as server-sent events.
   * @remarks
   * `Last-Event-ID` gives what was missed of the last ten minutes before it goes on, so a chart is full at once. About a
   * tenant that did nothing for a while, or where very many do something, the past begins with the stream. At most 20 at a
   * time on a server, 15 of them with API keys and 5 of one tenant: 429 beyond. A stream ends with its key, and with its
   * tenant's suspension.
   */
  @Get('stream')
  @ApiHeader(LAST_EVENT_ID)
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  @SseAnswer(EXAMPLE)
  async stream(
    @CurrentCaller() caller: Caller,
    @Query() query: StatsQueryDto,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Readable> {
    const after = sampleId(lastEventId);
    const tenantId = await this.stats.scope(caller, query.tenant_id);
    return this.streams.openStream(reply, caller, tenantId, after);
  }

  /**
   * How things were, from an hour to seven days back.
   * @remarks
   * A row is kept of each minute in which a tenant did something or was connected, and of each minute of a server. So
   * charts outlive a restart; a server that is killed loses its last minute. A `step` that makes more than 1,500 points of
   * the range is refused (400).
   */
  @Get('history')
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  history(@CurrentCaller() caller: Caller, @Query() query: StatsHistoryQueryDto): Promise<StatsHistoryDto> {
    return this.stats.past(caller, query);
  }
}

function sampleId(header: string | undefined): number | undefined {
  if (header === undefined || header === '') return undefined;
  if (!/^\d{1,15}$/.test(header)) throw invalid('Last-Event-ID', 'Last-Event-ID must be the id of a sample, a number');
  return Number(header);
}

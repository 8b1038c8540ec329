import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Audited } from '../../../platform/audit';
import { Access, type Caller } from '../../../platform/auth';
import { ApiErrors, CurrentCaller } from '../../../platform/http';
import { TenantQueryDto } from '../../tenants';
import { JobDto, JobsDto, JobsQueryDto } from '../dto/job.dto';
import { AdminJobsService } from './jobs.service';

@ApiTags('Admin')
@Controller('admin/jobs')
export class AdminJobsController {
  constructor(private readonly jobs: AdminJobsService) {}

  /**
   * Tell what is to be done, by kind, and list the jobs that were given up, with their errors, or those that wait or run.
   * @remarks
   * Of one tenant they are listed by kind, the longest waiting first; of all tenants by time. Without `tenant_id` what is
   * queued is counted, not listed (400). A job that is done is gone.
   */
  @Get()
  @Access('admin')
  @ApiErrors('NOT_FOUND')
  list(@CurrentCaller() caller: Caller, @Query() query: JobsQueryDto): Promise<JobsDto> {
    return this.jobs.list(caller, query);
  }

  /**
   * Run a job now: one that waits for its time, or one that was given up, with all its attempts.
   * @remarks
   * `tenant_id` says whose (400 without it). A job that runs is 409, one that is done is gone: 404.
   */
  @Post(':job_id/run')
  @HttpCode(200)
  @Access('master')
  @Audited('job.run')
  @ApiErrors('NOT_FOUND', 'CONFLICT')
  run(
    @CurrentCaller() caller: Caller,
    @Param('job_id') jobId: string,
    @Query() { tenant_id }: TenantQueryDto,
  ): Promise<JobDto> {
    return this.jobs.run(caller, tenant_id, jobId);
  }
}

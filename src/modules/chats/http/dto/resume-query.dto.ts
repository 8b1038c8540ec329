import { IsOptional, IsString } from 'class-validator';

export class ResumeQueryDto {
  /** The same as the header `Last-Event-ID`, for those who cannot set it; the header wins. */
  @IsOptional()
  @IsString()
  last_event_id?: string;
}

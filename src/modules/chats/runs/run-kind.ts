import { IsInt, IsOptional, IsString, IsUUID } from 'class-validator';
import { JobKind } from '../../../platform/jobs';

/** As the append and chat_answer_again write it. */
export class RunPayload {
  @IsUUID()
  run_id!: string;

  @IsUUID()
  room_id!: string;

  /** Of the question; the append adds it. */
  @IsInt()
  seq!: number;

  /** With what the model is asked, as JSON text. */
  @IsOptional()
  @IsString()
  options?: string;

  /** Of the call that asked. */
  @IsOptional()
  @IsString()
  request_id?: string;
}

/** The jobs that answer; the append and chat_answer_again make a run with each. */
export const RUN = new JobKind('run', RunPayload);

import { IsUUID } from 'class-validator';
import { JobKind } from '../../../platform/jobs';

/** Which import. */
export class ImportPayload {
  @IsUUID()
  import_id!: string;
}

/** Looks at a file and writes nothing but what it found. */
export const VALIDATE = new JobKind('import.validate', ImportPayload);

/** Writes what the file holds. */
export const LOAD = new JobKind('import.load', ImportPayload);

import { Foundation1763600000000 } from './0001-foundation';

/** All migrations, oldest first. Forward only; each fit to run beside the previous release. */
export const MIGRATIONS = [Foundation1763600000000] as const;

/**
 * Jobs: work that is written with the change that causes it and done afterwards.
 *
 * Owns the table jobs, which the append function writes. So far it is counted; the worker comes with notifications.
 */
export { JobsModule } from './jobs.module';

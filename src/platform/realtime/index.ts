/** What is live: so far presence, read from the leases that connections hold. */
export { Presence } from './presence';
export * from './contract';
export { RealtimeModule } from './realtime.module';

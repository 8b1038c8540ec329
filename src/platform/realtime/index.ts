/** What is live: so far presence, read from the leases that connections hold. */
export { LastSeenStore, SharedRooms } from './contract';
export { Presence } from './presence';
export { RealtimeModule } from './realtime.module';

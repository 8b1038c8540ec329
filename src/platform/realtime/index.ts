/** What is live: so far presence, read from the leases that connections hold. */
export { Audience, type Connection, LastSeenStore, SharedRooms } from './contract';
export { Presence, Typing } from './presence';
export { RealtimeModule } from './realtime.module';

import type { Provider } from '@nestjs/common';
import { Clock } from '../../../common/clock';
import { Bus, Leases } from '../../cluster';
import { Lifecycle } from '../../lifecycle';
import { Log } from '../../logging';
import { ComebackGate } from '../comeback-gate';
import { Audience, ConnectionHandlers, LastSeenStore, RoomFeed, Seats, SharedRooms } from '../contract';
import { type PresenceParts, presenceParts } from './parts';
import { SNAPSHOTS_AT_ONCE } from './snapshots';
import { PresenceService } from './presence-service';
import { Typing } from './typing';

const PARTS = Symbol('presence parts');

/** PresenceService and Typing. They need the feed (Audience, RoomFeed) and what the modules implement of its contract. */
export const PRESENCE_PROVIDERS: Provider[] = [
  {
    provide: PARTS,
    useFactory: (
      clock: Clock,
      bus: Bus,
      leases: Leases,
      audience: Audience,
      seats: Seats,
      rooms: SharedRooms,
      store: LastSeenStore,
      log: Log,
      gate: ComebackGate,
    ) => presenceParts({ clock, bus, leases, audience, seats, rooms, store, log, turns: gate.lane(SNAPSHOTS_AT_ONCE) }),
    inject: [Clock, Bus, Leases, Audience, Seats, SharedRooms, LastSeenStore, Log, ComebackGate],
  },
  {
    provide: Typing,
    useFactory: (feed: RoomFeed, clock: Clock, audience: Audience) => new Typing(feed, clock, audience),
    inject: [RoomFeed, Clock, Audience],
  },
  {
    provide: PresenceService,
    useFactory: (
      parts: PresenceParts,
      typing: Typing,
      connections: ConnectionHandlers,
      lifecycle: Lifecycle,
      log: Log,
    ) => new PresenceService(parts, typing, connections, lifecycle, log),
    inject: [PARTS, Typing, ConnectionHandlers, Lifecycle, Log],
  },
];

import type { Clock } from '../../../common/clock';
import type { Bus, Leases } from '../../cluster';
import { describeError, type Log } from '../../logging';
import type { Audience, LastSeenStore, Seats, SharedRooms } from '../contract';
import type { TurnTaker } from '../turns';
import { Announcer } from './announcer';
import { LastSeen } from './last-seen';
import { LeaseKeeper } from './lease-keeper';
import { LocalPresence } from './local-presence';
import { Presence } from './presence';
import { PresenceBoard } from './presence-board';
import { Snapshots } from './snapshots';

/** What presence is made of on one node. */
export interface PresenceParts {
  readonly keeper: LeaseKeeper;
  readonly local: LocalPresence;
  readonly board: PresenceBoard;
  readonly announcer: Announcer;
  readonly snapshots: Snapshots;
  readonly lastSeen: LastSeen;
}

export interface PresencePorts {
  readonly clock: Clock;
  readonly bus: Bus;
  readonly leases: Leases;
  readonly audience: Audience;
  readonly seats: Seats;
  readonly rooms: SharedRooms;
  readonly store: LastSeenStore;
  readonly log: Log;
  /** Look-ups for snapshots. */
  readonly turns: TurnTaker;
}

/** Puts the parts together; nothing runs by itself. */
export function presenceParts({
  clock,
  bus,
  leases,
  audience,
  seats,
  rooms,
  store,
  log,
  turns,
}: PresencePorts): PresenceParts {
  const presence = new Presence(leases);
  const keeper = new LeaseKeeper(leases, clock);
  const local = new LocalPresence(keeper, clock, (error) =>
    log.warn({ error: describeError(error) }, 'a presence lease failed'),
  );
  const board = new PresenceBoard(bus, audience, local, clock);
  const announcer = new Announcer(local, board, presence, rooms, bus);
  const snapshots = new Snapshots({ seats, presence, local, board, announcer, turns });
  const lastSeen = new LastSeen(store, clock);
  local.onChanged((user) => announcer.mark(user));
  local.onLastClosed((user) => lastSeen.note(user));
  return { keeper, local, board, announcer, snapshots, lastSeen };
}

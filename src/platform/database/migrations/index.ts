import { Foundation1763600000000 } from './0001-foundation';
import { AppendCost1763683200000 } from './0002-append-cost';
import { RoomsOfAUser1763769600000 } from './0003-rooms-of-a-user';
import { WsTickets1763856000000 } from './0004-ws-tickets';
import { LastSeen1763942400000 } from './0005-last-seen';
import { Sync1764028800000 } from './0006-sync';
import { DeadLetters1764115200000 } from './0007-dead-letters';
import { JobsWorker1764201600000 } from './0008-jobs-worker';
import { Notifications1764288000000 } from './0009-notifications';
import { SmallBatches1764374400000 } from './0010-small-batches';
import { Webhooks1764547200000 } from './0012-webhooks';
import { Models1764633600000 } from './0013-models';
import { Chats1764720000000 } from './0014-chats';
import { FirstSocket1764806400000 } from './0015-first-socket';
import { Answers1765065600000 } from './0018-answers';
import { OneBirth1765324800000 } from './0021-one-birth';
import { Restores1764892800000 } from './0016-restores';
import { TenantCounts1765152000000 } from './0019-tenant-counts';
import { ModelOptions1765411200000 } from './0022-model-options';
import { KeyCanaries1765238400000 } from './0020-key-canaries';

/** All migrations, oldest first. Forward only; each fit to run beside the previous release. */
export const MIGRATIONS = [
  Foundation1763600000000,
  AppendCost1763683200000,
  RoomsOfAUser1763769600000,
  WsTickets1763856000000,
  LastSeen1763942400000,
  Sync1764028800000,
  DeadLetters1764115200000,
  JobsWorker1764201600000,
  Notifications1764288000000,
  SmallBatches1764374400000,
  Webhooks1764547200000,
  Models1764633600000,
  Chats1764720000000,
  FirstSocket1764806400000,
  Answers1765065600000,
  OneBirth1765324800000,
  Restores1764892800000,
  TenantCounts1765152000000,
  ModelOptions1765411200000,
  KeyCanaries1765238400000,
] as const;

import type { Provider } from '@nestjs/common';
import { Acceptor } from './acceptor';
import { Connections } from './connections';
import { SocketDoors } from './doors';
import { Farewell } from './closing';
import { Revocations } from './revocations';
import { HeartbeatSweep } from './heartbeat';
import { SocketMetrics } from './socket-metrics';
import { Refusals } from './refusals';
import { UpgradeChecks } from './upgrade-checks';
import { UpgradePace } from './upgrade-pace';
import { Upgrades } from './upgrades';

/** For the realtime module. */
export const TRANSPORT_PROVIDERS: Provider[] = [
  SocketDoors,
  Connections,
  SocketMetrics,
  Acceptor,
  UpgradeChecks,
  UpgradePace,
  Refusals,
  Upgrades,
  HeartbeatSweep,
  Revocations,
  Farewell,
];

import { Module } from '@nestjs/common';
import { SseModule } from '../../platform/http';
import { Acceptor, SocketMetrics } from './acceptor';
import { EpochNotice, ShutdownNotice, Revocations } from './closing';
import { ReconnectPacer, LoopTime } from './reconnect-pacer';
import { Connections } from './connections';
import { SocketEndpoints } from './endpoints';
import { HeartbeatSweep } from './heartbeat';
import { Flusher } from './socket-connection';
import { UpgradeChecks } from './upgrade-checks';
import { UpgradePace } from './upgrade-pace';
import { Refusals, Upgrades } from './upgrades';
import { FrameBatches } from './wire';

@Module({
  imports: [SseModule],
  providers: [
    LoopTime,
    ReconnectPacer,
    FrameBatches,
    Flusher,
    SocketEndpoints,
    Connections,
    SocketMetrics,
    Acceptor,
    UpgradeChecks,
    UpgradePace,
    Refusals,
    Upgrades,
    HeartbeatSweep,
    Revocations,
    ShutdownNotice,
    EpochNotice,
  ],
  exports: [Connections, ReconnectPacer, FrameBatches, SocketEndpoints, Upgrades],
})
export class TransportModule {}

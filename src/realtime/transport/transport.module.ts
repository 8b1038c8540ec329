import { Module } from '@nestjs/common';
import { Acceptor, SocketMetrics } from './acceptor';
import { Farewell, Revocations } from './closing';
import { ComebackGate, LoopTime } from './comeback-gate';
import { Connections } from './connections';
import { SocketDoors } from './doors';
import { HeartbeatSweep } from './heartbeat';
import { Flusher } from './socket-connection';
import { UpgradeChecks } from './upgrade-checks';
import { UpgradePace } from './upgrade-pace';
import { Refusals, Upgrades } from './upgrades';
import { FrameBatches } from './wire';

@Module({
  providers: [
    LoopTime,
    ComebackGate,
    FrameBatches,
    Flusher,
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
  ],
  exports: [ComebackGate, FrameBatches, SocketDoors, Upgrades],
})
export class TransportModule {}

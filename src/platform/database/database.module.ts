import { type DynamicModule, Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Availability, DatabaseMetrics, Failures, PoolUse } from './availability';
import { Database, SystemDatabase } from './database';
import { InstanceEntity } from './entities/instance.entity';
import { Epoch } from './epoch';
import { AcknowledgedChanges } from './failover/acknowledged';
import { InstanceRepository } from './instance.repository';
import { NodeClock } from './node-clock';
import type { OpenDatabase } from './open';
import { SessionLocks } from './session-locks';
import { TenantSnapshots } from './snapshot';

/**
 * Hands the open database to the providers that inject it, and the entities that the modules register with
 * `TypeOrmModule.forFeature` to the one data source, which opens no connection (scoped-source.ts).
 */
@Global()
@Module({})
export class DatabaseModule {
  static register(open: OpenDatabase): DynamicModule {
    const providers = [
      { provide: Database, useValue: open.database },
      { provide: SystemDatabase, useValue: open.system },
      { provide: Epoch, useValue: open.epoch },
      { provide: Availability, useValue: open.availability },
      { provide: Failures, useValue: open.failures },
      { provide: PoolUse, useValue: open.poolUse },
      { provide: TenantSnapshots, useValue: open.snapshots },
      { provide: SessionLocks, useValue: open.locks },
      { provide: AcknowledgedChanges, useValue: open.acknowledged },
      DatabaseMetrics,
      InstanceRepository,
      NodeClock,
    ];
    const orm = TypeOrmModule.forRootAsync({
      useFactory: () => ({ type: 'postgres', autoLoadEntities: true, retryAttempts: 0 }),
      dataSourceFactory: (options) => Promise.resolve(open.source.setOptions({ entities: options?.entities ?? [] })),
    });
    return {
      module: DatabaseModule,
      imports: [orm, TypeOrmModule.forFeature([InstanceEntity])],
      providers,
      exports: [
        ...[Database, SystemDatabase, Epoch, Availability, InstanceRepository, TenantSnapshots],
        ...[NodeClock, SessionLocks, AcknowledgedChanges],
      ],
    };
  }
}

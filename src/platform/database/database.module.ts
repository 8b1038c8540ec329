import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Availability } from './availability';
import { Database, SystemDatabase } from './database';
import { Epoch } from './epoch';
import { DatabaseMetrics } from './database-metrics';
import { Failures } from './failures';
import type { OpenDatabase } from './open';

/** Hands the open database to whoever injects it. */
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
      DatabaseMetrics,
    ];
    return { module: DatabaseModule, providers, exports: [Database, SystemDatabase, Epoch, Availability] };
  }
}

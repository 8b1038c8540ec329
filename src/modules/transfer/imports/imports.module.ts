import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../../realtime';
import { RoomsModule } from '../../rooms';
import { TenantsModule } from '../../tenants';
import { ImportEntity } from './entities/import.entity';
import { ImportsController } from './imports.controller';
import { ImportRunner, ImportSweep, ImportValidator } from './imports.jobs';
import { ImportsRepository } from './imports.repository';
import { ImportsService } from './imports.service';
import { ImportedLog } from './load/imported-log.repository';
import { ImportSources } from './lines/sources';
import { ImportLoader } from './load/loader';
import { ImportParts } from './parts';
import { FileValidation } from './validation';

/** Imports: a file of a tenant's rooms, users and messages is looked at, then taken in (docs/adr/0036). */
@Module({
  imports: [TypeOrmModule.forFeature([ImportEntity]), RealtimeModule, RoomsModule, TenantsModule],
  controllers: [ImportsController],
  providers: [
    FileValidation,
    ImportedLog,
    ImportLoader,
    ImportParts,
    ImportRunner,
    ImportsRepository,
    ImportSources,
    ImportsService,
    ImportSweep,
    ImportValidator,
  ],
  exports: [ImportParts, ImportsRepository],
})
export class ImportsModule {}

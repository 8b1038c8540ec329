import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { TenantsModule } from '../tenants';
import { ExportEntity } from './entities/export.entity';
import { ExportFiles } from './exports/export-files';
import { ExportRunner } from './exports/export.job';
import { ExportFileController, TenantExportsController, UserExportsController } from './exports/exports.controller';
import { ExportsRepository } from './exports/exports.repository';
import { ExportDownloads, ExportsService } from './exports/exports.service';
import { ExportSources } from './exports/sources';
import { ExportSweep } from './exports/sweep';
import { ExportSweepRepository } from './exports/sweep.repository';
import { ImportsModule } from './imports/imports.module';
import { TransferErase } from './transfer-erase';

@Module({
  imports: [TypeOrmModule.forFeature([ExportEntity]), ImportsModule, TenantsModule],
  controllers: [TenantExportsController, UserExportsController, ExportFileController],
  providers: [
    ExportDownloads,
    ExportFiles,
    ExportRunner,
    ExportSources,
    ExportSweep,
    ExportSweepRepository,
    ExportsRepository,
    ExportsService,
    TransferErase,
  ],
})
export class TransferModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AdminKeysController } from './admin-keys.controller';
import { AdminTenantsController } from './admin-tenants.controller';
import { TenantCredentialWatch } from './credential-watch.repository';
import { FileTickets } from './file-tickets';
import { KeyUses, TenantCredentialVerifier } from './verifier';
import { KeysRepository } from './keys.repository';
import { KeysService } from './keys.service';
import { TenantExportRepository } from './tenant-export.repository';
import { TenantsRepository } from './tenants.repository';
import { TenantsService } from './tenants.service';
import { TicketsRepository } from './tickets.repository';
import { TokenSigner, TokensService } from './tokens.service';
import { TokensController } from './tokens.controller';
import { UsersService } from './users.service';
import { TenantCountDeltaEntity, TenantCountsEntity, TenantEntity, UserEntity } from './entities/tenant.entity';
import { ApiKeyEntity, WsTicketEntity } from './entities/api-key.entity';

@Module({
  imports: [
    TypeOrmModule.forFeature([
      TenantEntity,
      ApiKeyEntity,
      UserEntity,
      TenantCountsEntity,
      TenantCountDeltaEntity,
      WsTicketEntity,
    ]),
  ],
  controllers: [AdminTenantsController, AdminKeysController, TokensController],
  providers: [
    KeysRepository,
    TenantsRepository,
    TenantExportRepository,
    KeyUses,
    KeysService,
    TenantsService,
    TicketsRepository,
    FileTickets,
    TokenSigner,
    TokensService,
    UsersService,
    TenantCredentialVerifier,
    TenantCredentialWatch,
  ],
  exports: [
    ...[
      KeysService,
      TenantCredentialVerifier,
      TenantCredentialWatch,
      TicketsRepository,
      FileTickets,
      TenantsService,
      UsersService,
    ],
  ],
})
export class TenantsModule {}

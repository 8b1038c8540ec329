import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AdminKeysController } from './admin-keys.controller';
import { AdminTenantsController } from './admin-tenants.controller';
import { TenantCredentialWatch } from './credential-watch';
import { KeyUses } from './key-uses';
import { KeysRepository } from './keys.repository';
import { KeysService } from './keys.service';
import { TenantsRepository } from './tenants.repository';
import { TenantsService } from './tenants.service';
import { TicketsRepository } from './tickets.repository';
import { TokenSigner } from './token-signer';
import { TokensController } from './tokens.controller';
import { TokensService } from './tokens.service';
import { UsersService } from './users.service';
import { TenantCredentialVerifier } from './verifier';
import { TenantEntity } from './entities/tenant.entity';
import { ApiKeyEntity } from './entities/api-key.entity';
import { UserEntity } from './entities/user.entity';
import { TenantCountsEntity } from './entities/tenant-counts.entity';
import { TenantCountDeltaEntity } from './entities/tenant-count-delta.entity';
import { WsTicketEntity } from './entities/ws-ticket.entity';

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
    KeyUses,
    KeysService,
    TenantsService,
    TicketsRepository,
    TokenSigner,
    TokensService,
    UsersService,
    TenantCredentialVerifier,
    TenantCredentialWatch,
  ],
  exports: [TenantCredentialVerifier, TenantCredentialWatch, TicketsRepository, TenantsService, UsersService],
})
export class TenantsModule {}

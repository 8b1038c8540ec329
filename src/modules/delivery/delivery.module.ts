import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { TenantsModule } from '../tenants';
import { CursorsExportRepository } from './cursors-export.repository';
import { CursorGroups } from './cursor-groups';
import { DeadLettersController } from './dead-letters/dead-letters.controller';
import { DeadLettersRepository } from './dead-letters/dead-letters.repository';
import { DeadLettersService } from './dead-letters/dead-letters.service';
import { MessageLetters } from './dead-letters/message-letters';
import { DeadLetterRegistry } from './dead-letters/sources';
import { DeliveryController } from './delivery.controller';
import { DeliveryGateway } from './delivery.gateway';
import { DeliveryRepository } from './delivery.repository';
import { DeliveryService, MemberReceipts, ReadUpdates } from './delivery.service';
import { CursorEntity } from './entities/cursor.entity';
import { DeadLetterEntity } from './entities/dead-letter.entity';

@Module({
  imports: [TypeOrmModule.forFeature([CursorEntity, DeadLetterEntity]), RealtimeModule, TenantsModule],
  controllers: [DeliveryController, DeadLettersController],
  providers: [
    CursorGroups,
    CursorsExportRepository,
    DeadLettersRepository,
    DeadLettersService,
    DeadLetterRegistry,
    DeliveryGateway,
    DeliveryRepository,
    DeliveryService,
    MessageLetters,
    ReadUpdates,
    MemberReceipts,
  ],
  exports: [DeliveryService, MemberReceipts],
})
export class DeliveryModule {}

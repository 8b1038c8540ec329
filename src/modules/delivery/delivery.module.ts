import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Receipts } from '../../platform/realtime';
import { DeadLettersController } from './dead-letters/dead-letters.controller';
import { DeadLettersRepository } from './dead-letters/dead-letters.repository';
import { DeadLettersService } from './dead-letters/dead-letters.service';
import { MessageLetters } from './dead-letters/message-letters';
import { DeadLetterRegistry } from './dead-letters/registry';
import { DeadLetterSources } from './dead-letters/sources';
import { DeliveryController } from './delivery.controller';
import { DeliveryGateway } from './delivery.gateway';
import { DeliveryRepository } from './delivery.repository';
import { DeliveryService } from './delivery.service';
import { MemberReceipts } from './member-receipts';
import { ReadUpdates } from './read-updates';
import { CursorEntity } from './entities/cursor.entity';
import { DeadLetterEntity } from './entities/dead-letter.entity';

/** Global, because it implements a port of the platform, which does not know it. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature([CursorEntity, DeadLetterEntity])],
  controllers: [DeliveryController, DeadLettersController],
  providers: [
    DeadLettersRepository,
    DeadLettersService,
    DeadLetterRegistry,
    DeliveryGateway,
    DeliveryRepository,
    DeliveryService,
    MessageLetters,
    ReadUpdates,
    { provide: DeadLetterSources, useExisting: DeadLetterRegistry },
    { provide: Receipts, useClass: MemberReceipts },
  ],
  exports: [DeadLetterSources, DeliveryService, Receipts],
})
export class DeliveryModule {}

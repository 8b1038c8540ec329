import { Module } from '@nestjs/common';
import { DeliveryController } from './delivery.controller';
import { DeliveryGateway } from './delivery.gateway';
import { DeliveryRepository } from './delivery.repository';
import { DeliveryService } from './delivery.service';
import { ReadUpdates } from './read-updates';

@Module({
  controllers: [DeliveryController],
  providers: [DeliveryGateway, DeliveryRepository, DeliveryService, ReadUpdates],
  exports: [DeliveryService],
})
export class DeliveryModule {}

import { Global, Module } from '@nestjs/common';
import { DeliveryModule } from '../delivery';
import { RoomPreviews } from '../rooms';
import { AppendRepository } from './appender/append.repository';
import { Appender } from './appender/appender';
import { MessagePreviews } from './message-previews';
import { MessagesController } from './messages.controller';
import { MessagesGateway } from './messages.gateway';
import { MessagesRepository } from './messages.repository';
import { MessagesService } from './messages.service';

/** Global, because it implements a port of the rooms module, which does not know it. */
@Global()
@Module({
  imports: [DeliveryModule],
  controllers: [MessagesController],
  providers: [
    AppendRepository,
    Appender,
    MessagesGateway,
    MessagesRepository,
    MessagesService,
    { provide: RoomPreviews, useClass: MessagePreviews },
  ],
  exports: [RoomPreviews, MessagesService],
})
export class MessagesModule {}

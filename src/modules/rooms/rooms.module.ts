import { Global, Module } from '@nestjs/common';
import { Seats } from '../../platform/realtime';
import { MembersController } from './members.controller';
import { MembersService } from './members.service';
import { RoomHeads } from './room-heads';
import { RoomSeats } from './room-seats';
import { RoomsController } from './rooms.controller';
import { RoomsRepository } from './rooms.repository';
import { RoomsService } from './rooms.service';
import { SeatsRepository } from './seats.repository';

/** Global, because it implements a port of the platform. RoomPreviews comes from the global messages module. */
@Global()
@Module({
  controllers: [RoomsController, MembersController],
  providers: [
    RoomsRepository,
    RoomsService,
    MembersService,
    RoomHeads,
    SeatsRepository,
    { provide: Seats, useClass: RoomSeats },
  ],
  exports: [RoomsService, RoomHeads, Seats],
})
export class RoomsModule {}

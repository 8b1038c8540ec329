import { Global, Module } from '@nestjs/common';
import { Seats } from '../../platform/realtime';
import { MembersController } from './members.controller';
import { MembersService } from './members.service';
// The frames of rooms are declared by being loaded.
import './dto/room-frames.dto';
import { RoomHeads } from './room-heads';
import { RoomSeats } from './room-seats';
import { RoomsController } from './rooms.controller';
import { RoomsGateway } from './rooms.gateway';
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
    RoomsGateway,
    RoomHeads,
    SeatsRepository,
    { provide: Seats, useClass: RoomSeats },
  ],
  exports: [RoomsService, RoomHeads, Seats],
})
export class RoomsModule {}

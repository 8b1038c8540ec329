import { Global, Module } from '@nestjs/common';
import { Seats, SharedRooms } from '../../platform/realtime';
import { MembersController } from './members.controller';
import { MembersService } from './members.service';
// The frames of rooms are declared by being loaded.
import './dto/room-frames.dto';
import { PresenceController } from './presence.controller';
import { PresenceRepository } from './presence.repository';
import { RoomChanges } from './room-changes';
import { RoomFacts } from './room-facts';
import { RoomHeads } from './room-heads';
import { RoomPresenceService } from './room-presence.service';
import { RoomSeats } from './room-seats';
import { RoomsController } from './rooms.controller';
import { RoomsGateway } from './rooms.gateway';
import { RoomsRepository } from './rooms.repository';
import { RoomsService } from './rooms.service';
import { SeatsRepository } from './seats.repository';
import { SubscriptionsService } from './subscriptions.service';
import { TypingGateway } from './typing.gateway';
import { TypingService } from './typing.service';

/** Global, because it implements ports of the platform. RoomPreviews comes from the global messages module. */
@Global()
@Module({
  controllers: [RoomsController, MembersController, PresenceController],
  providers: [
    RoomsRepository,
    RoomChanges,
    RoomsService,
    MembersService,
    RoomsGateway,
    RoomFacts,
    RoomHeads,
    SeatsRepository,
    PresenceRepository,
    RoomPresenceService,
    SubscriptionsService,
    TypingService,
    TypingGateway,
    { provide: Seats, useClass: RoomSeats },
    { provide: SharedRooms, useExisting: PresenceRepository },
  ],
  exports: [RoomsService, RoomFacts, RoomHeads, Seats, SharedRooms],
})
export class RoomsModule {}

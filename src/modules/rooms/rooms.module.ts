import { Global, Module } from '@nestjs/common';
import { SharedRooms } from '../../platform/realtime';
import { MembersController } from './members.controller';
import { MembersService } from './members.service';
import { PresenceController } from './presence.controller';
import { PresenceRepository } from './presence.repository';
import { RoomPresenceService } from './room-presence.service';
import { RoomsController } from './rooms.controller';
import { RoomsRepository } from './rooms.repository';
import { RoomsService } from './rooms.service';

/** RoomPreviews comes from the global messages module. Global, since the platform's ports are implemented here. */
@Global()
@Module({
  controllers: [RoomsController, MembersController, PresenceController],
  providers: [
    RoomsRepository,
    RoomsService,
    MembersService,
    PresenceRepository,
    RoomPresenceService,
    { provide: SharedRooms, useExisting: PresenceRepository },
  ],
  exports: [RoomsService, SharedRooms],
})
export class RoomsModule {}

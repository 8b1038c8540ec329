import { Module } from '@nestjs/common';
import { MembersController } from './members.controller';
import { MembersService } from './members.service';
// The frames of rooms are declared by being loaded.
import './dto/room-frames.dto';
import { RoomsController } from './rooms.controller';
import { RoomsRepository } from './rooms.repository';
import { RoomsService } from './rooms.service';

/** RoomPreviews comes from the global messages module. */
@Module({
  controllers: [RoomsController, MembersController],
  providers: [RoomsRepository, RoomsService, MembersService],
  exports: [RoomsService],
})
export class RoomsModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { TenantsModule } from '../tenants';
import { MembersController } from './members/members.controller';
import { MembersService } from './members/members.service';
// The frames of rooms are declared by being loaded.
import './dto/room-frames.dto';
import { PresenceController } from './presence/presence.controller';
import { PresenceRepository } from './presence/presence.repository';
import { RoomChanges } from './room-changes';
import { RoomFacts } from './rooms/room-facts';
import { RoomHeads } from './rooms/room-heads.repository';
import { RoomPresenceService } from './presence/presence.service';
import { RoomSeats } from './members/room-seats';
import { RoomsController } from './rooms/rooms.controller';
import { RoomsGateway } from './rooms/rooms.gateway';
import { RoomsRepository } from './rooms/rooms.repository';
import { RoomsService } from './rooms/rooms.service';
import { SeatsRepository } from './members/seats.repository';
import { RoomSubscriptionsService } from './rooms/subscriptions.service';
import { TypingGateway } from './typing/typing.gateway';
import { TypingService } from './typing/typing.service';
import { RoomEntity } from './entities/room.entity';
import { RoomMemberEntity } from './entities/room-member.entity';
import { RoomEventEntity } from './entities/room-event.entity';

@Module({
  imports: [TypeOrmModule.forFeature([RoomEntity, RoomMemberEntity, RoomEventEntity]), RealtimeModule, TenantsModule],
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
    RoomSubscriptionsService,
    TypingService,
    TypingGateway,
    RoomSeats,
  ],
  exports: [RoomsService, RoomFacts, RoomHeads, RoomSeats, PresenceRepository],
})
export class RoomsModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { TenantsModule } from '../tenants';
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
import { RoomSubscriptionsService } from './subscriptions.service';
import { TypingGateway } from './typing.gateway';
import { TypingService } from './typing.service';
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

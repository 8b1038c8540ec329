import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { TenantsModule } from '../tenants';
import { MembersController } from './members/members.controller';
import { MembersService } from './members/members.service';
import { PresenceController } from './presence/presence.controller';
import { PresenceRepository } from './presence/presence.repository';
import { RoomChanges } from './rooms.functions';
import { RoomFacts, RoomsRepository } from './rooms/rooms.repository';
import { RoomHeads } from './rooms/room-heads.repository';
import { RoomPresenceService } from './presence/presence.service';
import { MemberPositions } from './members/member-positions';
import { RoomsExportRepository } from './rooms/rooms-export.repository';
import { RoomsController } from './rooms/rooms.controller';
import { RoomsGateway, RoomSubscriptionsService } from './rooms/rooms.gateway';
import { RoomsService } from './rooms/rooms.service';
import { PositionsRepository } from './members/positions.repository';
import { TypingGateway, TypingService } from './typing/typing.gateway';
import { RoomEntity, RoomEventEntity, RoomMemberEntity } from './entities/room.entity';

@Module({
  imports: [TypeOrmModule.forFeature([RoomEntity, RoomMemberEntity, RoomEventEntity]), RealtimeModule, TenantsModule],
  controllers: [RoomsController, MembersController, PresenceController],
  providers: [
    RoomsRepository,
    RoomsExportRepository,
    RoomChanges,
    RoomsService,
    MembersService,
    RoomsGateway,
    RoomFacts,
    RoomHeads,
    PositionsRepository,
    PresenceRepository,
    RoomPresenceService,
    RoomSubscriptionsService,
    TypingService,
    TypingGateway,
    MemberPositions,
  ],
  exports: [RoomsService, RoomFacts, RoomHeads, MemberPositions, PresenceRepository],
})
export class RoomsModule {}

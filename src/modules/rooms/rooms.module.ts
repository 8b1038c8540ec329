import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RealtimeModule } from '../../realtime';
import { TenantsModule } from '../tenants';
import { MeController } from './members/me.controller';
import { MeService } from './members/me.service';
import { MembersController } from './members/members.controller';
import { MembersService } from './members/members.service';
import { PresenceController } from './presence/presence.controller';
import { PresenceRepository } from './presence/presence.repository';
import { RoomChanges, RoomEventsErase, RoomsErase } from './rooms.functions';
import { RoomFacts, RoomsRepository } from './rooms/rooms.repository';
import { RoomHeads } from './rooms/room-heads.repository';
import { RoomLists } from './rooms/room-lists.repository';
import { RoomPresenceService } from './presence/presence.service';
import { MemberPositions } from './members/member-positions';
import { RoomsExportRepository } from './rooms/rooms-export.repository';
import { RoomsController } from './rooms/rooms.controller';
import { RoomsGateway, RoomSubscriptionsService } from './rooms/rooms.gateway';
import { RoomsService } from './rooms/rooms.service';
import { PositionsRepository } from './members/positions.repository';
import { TypingGateway, TypingService } from './typing/typing.gateway';
import {
  ImportRoomEntity,
  MemberSettingsEntity,
  RoomEntity,
  RoomEventEntity,
  RoomMemberEntity,
} from './entities/room.entity';

@Module({
  imports: [
    TypeOrmModule.forFeature([RoomEntity, RoomMemberEntity, RoomEventEntity, ImportRoomEntity, MemberSettingsEntity]),
    RealtimeModule,
    TenantsModule,
  ],
  controllers: [RoomsController, MembersController, MeController, PresenceController],
  providers: [
    RoomEventsErase,
    RoomsErase,
    RoomsRepository,
    RoomsExportRepository,
    RoomChanges,
    RoomsService,
    MembersService,
    MeService,
    RoomsGateway,
    RoomFacts,
    RoomHeads,
    RoomLists,
    PositionsRepository,
    PresenceRepository,
    RoomPresenceService,
    RoomSubscriptionsService,
    TypingService,
    TypingGateway,
    MemberPositions,
  ],
  exports: [RoomsService, RoomFacts, RoomHeads, RoomLists, MemberPositions, PresenceRepository],
})
export class RoomsModule {}

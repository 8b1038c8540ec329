/**
 * Rooms and their members.
 *
 * Owns the tables rooms, room_members, room_events. Invariants: one dm per pair of users (unique_key); a group or
 * channel with members has an admin; every change has a revision. Concurrency: each change is one function of the
 * schema that locks the room's row first and decides afterwards, so racing changes see each other and no row is held
 * across a round trip.
 */
export { RoomsModule } from './rooms.module';
export { metadataOf, type RoomJson, roomUpdated, roomUuid, roomView, visible } from './views';
export { dmKey, type PreviewRequest, type RoomPreview, RoomPreviews, RoomsService } from './rooms/rooms.service';
export { type MemberEvent, RoomFacts, type RoomMember } from './rooms/rooms.repository';
export { PresenceRepository } from './presence/presence.repository';
export { RoomHeads } from './rooms/room-heads.repository';
export {
  type ListedMember,
  type ListedRoom,
  LISTED_TYPES,
  type ListedType,
  type Membership,
  RoomLists,
} from './rooms/room-lists.repository';
export { roomCut, roomEventsTrimmed, roomRetain, roomsClose, roomsToCut, type RoomToCut } from './rooms.functions';
export { AgentPresence } from './members/agent-presence';
export { MemberPositions } from './members/member-positions';
export { LastMessageDto, RoomDto } from './dto/room.dto';

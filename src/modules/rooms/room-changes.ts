import { Injectable } from '@nestjs/common';
import type { Caller } from '../../platform/auth';
import type { SchemaFunction } from '../../platform/database';
import { type EffectResult, Effects } from '../../platform/idempotency';
import { changing, RoomFeed } from '../../realtime';
import { roomCreate } from './rooms.functions';
import type { RoomJson } from './views';

/**
 * Makes changes of rooms: one function of the schema each, after which those who follow the room look at it; so they do
 * where nobody knows whether it was committed. A refusal is thrown, and tells nobody.
 */
@Injectable()
export class RoomChanges {
  constructor(
    private readonly effects: Effects,
    private readonly feed: RoomFeed,
  ) {}

  async create(
    caller: Caller,
    args: Parameters<typeof roomCreate.call>[2] & { readonly p_users: readonly string[] },
  ): Promise<RoomJson> {
    const { tenantId } = caller;
    const { p_users: joined } = args;
    const { room } = await changing(this.feed, { tenantId, roomId: args.p_room, joined }, () =>
      this.effects.call(caller, roomCreate, args),
    );
    // The first one where it is a repeat.
    this.feed.touch(tenantId, room.room_id, joined, caller.userId);
    return room;
  }

  /** @param joined who may become a member by it */
  async make<A extends { readonly p_room: string }, R extends EffectResult>(
    caller: Caller,
    fn: SchemaFunction<A, R>,
    args: A,
    joined: readonly string[] = [],
  ): Promise<R> {
    const room = { tenantId: caller.tenantId, roomId: args.p_room, joined };
    const result = await changing(this.feed, room, () => this.effects.call(caller, fn, args));
    this.feed.touch(room.tenantId, room.roomId, joined);
    return result;
  }
}

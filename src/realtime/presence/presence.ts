import { Inject, Injectable } from '@nestjs/common';
import { Leases } from '../../platform/cluster';
import { LocalPresence } from './local-presence';
import { PresenceBoard } from './presence-board';

/** What the leases say of some users. */
export interface OnlineAnswer {
  readonly online: ReadonlySet<string>;
  /** The others are offline. False: nothing is known of them, and what was told of them last still counts. */
  readonly isComplete: boolean;
}

/** Users for whom something is to be done because they are offline. */
export interface OfflineAnswer {
  readonly userIds: readonly string[];
  /** False: some of them may be online, which is known within minutes. Whoever can wait asks again then. */
  readonly isSure: boolean;
}

/**
 * Which users are online: a user is, while any of their connections holds its lease, on whichever node.
 *
 * Where the leases cannot be asked, or have just been forgotten, there are three answers: for what is shown, for what clients
 * are told as news, and for what is done once and cannot be taken back. With one node all three are the same.
 */
@Injectable()
export class Presence {
  constructor(
    private readonly leases: Leases,
    @Inject(PresenceBoard) private readonly board: Pick<PresenceBoard, 'knowsOnline'>,
    @Inject(LocalPresence) private readonly local: Pick<LocalPresence, 'isHere'>,
  ) {}

  /** The online ones among these users, to be shown: where nothing is known of a user, as this node was told last. */
  async online(tenantId: string, userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const { online, isComplete } = await this.lookUp(tenantId, userIds);
    if (isComplete) return online;
    const isShown = (userId: string): boolean => {
      const user = { tenantId, userId };
      return online.has(userId) || this.local.isHere(user) || this.board.knowsOnline(user);
    };
    return new Set(userIds.filter(isShown));
  }

  /** What is known for sure, and whether that is all. */
  async lookUp(tenantId: string, userIds: readonly string[]): Promise<OnlineAnswer> {
    const { held, isComplete } = await this.held(tenantId, userIds);
    return { online: held, isComplete };
  }

  /**
   * The offline ones among these users, in their order. After two minutes in which nothing could be known all of those count as
   * offline that are not connected to this node: what is done for them must bear that some are online after all.
   */
  async offline(tenantId: string, userIds: readonly string[]): Promise<OfflineAnswer> {
    const { held, isComplete, isSettling } = await this.held(tenantId, userIds);
    const isOnline = (userId: string): boolean =>
      held.has(userId) || (!isComplete && this.local.isHere({ tenantId, userId }));
    const offline = userIds.filter((userId) => !isOnline(userId));
    return { userIds: offline, isSure: offline.length === 0 || !isSettling };
  }

  private async held(tenantId: string, userIds: readonly string[]) {
    if (userIds.length === 0) return { held: new Set<string>(), isComplete: true, isSettling: false };
    const prefix = `presence:${tenantId}:`;
    const { held, ...others } = await this.leases.heldAmong(userIds.map((id) => prefix + id));
    return { held: new Set([...held].map((key) => key.slice(prefix.length))), ...others };
  }
}

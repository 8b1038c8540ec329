import { Injectable } from '@nestjs/common';
import { changing, RoomFeed } from '../../../realtime';
import { ChatHub, type ChatRef } from '../streams/chat-hub';
import { LiveRuns } from '../runs/live-runs';
import { RunsRepository } from '../runs/runs.repository';

/** Tells those who follow a chat, or its room, of changes that are no messages. */
@Injectable()
export class ChatNews {
  constructor(
    private readonly feed: RoomFeed,
    private readonly hub: ChatHub,
    private readonly live: LiveRuns,
    private readonly runs: RunsRepository,
  ) {}

  /** Makes a chat; where nobody knows whether it was committed, its user's connections look. */
  making<T>({ tenantId, chatId }: ChatRef, userId: string, change: () => Promise<T>): Promise<T> {
    return changing(this.feed, { tenantId, roomId: chatId, joined: [userId] }, change);
  }

  changing<T>({ tenantId, chatId }: ChatRef, change: () => Promise<T>): Promise<T> {
    return changing(this.feed, { tenantId, roomId: chatId }, change);
  }

  made({ tenantId, chatId }: ChatRef, userId: string): void {
    this.feed.touch(tenantId, chatId, [userId], userId);
  }

  changed({ tenantId, chatId }: ChatRef): void {
    this.feed.touch(tenantId, chatId);
  }

  running({ tenantId, chatId }: ChatRef): Promise<string[]> {
    return this.runs.unfinished(tenantId, chatId);
  }

  deleted({ tenantId, chatId }: ChatRef, running: readonly string[]): void {
    this.live.stop(running);
    this.feed.touch(tenantId, chatId);
    this.hub.publish({ tenantId, chatId }, { kind: 'deleted' });
  }
}

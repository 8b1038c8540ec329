import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Log } from '../../../platform/logging';
import type { FaultReason, ModelTrace } from '../contract';
import type { ChannelFault } from '../providers/chat-model';
import type { Asking } from './gates';

/** Of a channel, the latest. */
const KEPT = 5;
const MAX_CHANNELS = 1000;
const MAX_MESSAGES = 1000;

/** A fault of a channel, as its page tells it. */
export interface NotedFault {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly model: string;
  readonly reason: FaultReason;
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly code: string | undefined;
  /** In our words. */
  readonly fault: string;
  /** What the provider said, without keys and addresses. It may quote a prompt: never in a log, never for users. */
  readonly said: string | undefined;
}

/** What providers said when they failed: the latest of each channel, and of the latest answers. This node's memory. */
@Injectable()
export class FaultBook {
  private readonly channels = new LRUCache<string, readonly NotedFault[]>({ max: MAX_CHANNELS });
  private readonly messages = new LRUCache<string, string>({ max: MAX_MESSAGES });

  constructor(private readonly log: Log) {}

  /** Remembers it, and logs of it what quotes nobody. */
  note({ channel, model, tenantId }: Asking, fault: ChannelFault, trace: ModelTrace | undefined): void {
    const { reason, message, facts } = fault;
    const { status, type, code, said } = facts;
    const noted = { at: Date.now(), model, reason, status, type, code, fault: message, said };
    this.channels.set(channel.id, [noted, ...this.ofChannel(channel.id)].slice(0, KEPT));
    const ids = { request_id: trace?.requestId, chat_id: trace?.chatId, message_id: trace?.messageId };
    if (ids.message_id !== undefined && said !== undefined) this.messages.set(`${tenantId} ${ids.message_id}`, said);
    this.log.warn(
      { tenant_id: tenantId, ...ids, channel: channel.name, fault: message, reason, status, type, code },
      'model channel failed',
    );
  }

  /** Newest first. */
  ofChannel(channelId: string): readonly NotedFault[] {
    return this.channels.get(channelId) ?? [];
  }

  ofMessage(tenantId: string, messageId: string): string | undefined {
    return this.messages.get(`${tenantId} ${messageId}`);
  }

  forget(channelId: string): void {
    this.channels.delete(channelId);
  }
}

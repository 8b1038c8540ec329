import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { AppError } from '../../../common/errors';
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

  /** Remembers it, and logs of it what quotes no prompt. */
  note({ channel, model, tenantId }: Asking, fault: ChannelFault, trace: ModelTrace | undefined): NotedFault {
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
    return noted;
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

/** What an administrator of the assistant, or its user, can do. */
const HINTS: Readonly<Record<FaultReason, string>> = {
  auth: 'The provider refuses the key of the model channel: an administrator has to set a valid one (PATCH /api/channels/{id}, or OPENAI_API_KEY)',
  money: "The account at the model's provider has no money or quota left: an administrator has to top it up",
  pace: "The model's provider asks for a slower pace: ask again after the time in Retry-After",
  model:
    'The model channel does not know this model: correct the model of the preset or of the channel, or the base URL of the channel',
  overflow: 'The chat is longer than the model can read: begin a new chat, or clear this one',
  content: "The model's provider refuses the content: say it in other words",
  request:
    "The model's provider does not take the request: check the parameters of the preset and of the channel (GET /api/channels/{id} says what it objects to)",
  timeout:
    'The model was silent, or took too long: ask again, or raise the timeouts of the model channel (PATCH /api/channels/{id})',
  reasoning: 'The model used all its tokens for thinking: raise maxTokens of the preset, or lower its reasoning effort',
  empty: 'The model answered without any text: ask again, or choose another model',
  provider: 'Ask again; if it stays, check the model channel (GET /api/channels/{id})',
};

/** What to do about a fault, in words for the operator. */
export function hintOfReason(reason: FaultReason): string {
  return HINTS[reason];
}

/** What an error that `ModelsService.stream` has thrown is about; undefined where it does not say. */
export function faultReasonOf(error: unknown): FaultReason | undefined {
  const reason = error instanceof AppError ? error.details?.['reason'] : undefined;
  return isReason(reason) ? reason : undefined;
}

function isReason(value: unknown): value is FaultReason {
  return typeof value === 'string' && Object.hasOwn(HINTS, value);
}

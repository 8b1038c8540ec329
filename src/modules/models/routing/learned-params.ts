import { LRUCache } from 'lru-cache';
import type { Channel } from '../channels/channel-directory';
import type { ChannelFault, MaxTokensField, RefusedParam, WireParams } from '../providers/chat-model';
import { chatModelOf } from '../providers/registry';
import { wantsCompletionTokens } from './channel-choice';

const MAX_KNOWN = 10_000;

interface Known {
  readonly maxTokensField: MaxTokensField | undefined;
  readonly streamOptions: boolean;
}

/**
 * How each channel wants to be asked for each model, where the channel says `auto`: found out from its refusals (400,
 * 422), and remembered once it has answered. This node's memory: forgotten with the channel's version.
 */
export class LearnedParams {
  private readonly known = new LRUCache<string, Known>({ max: MAX_KNOWN });

  of(channel: Channel, model: string): WireParams {
    const { maxTokensField, streamOptions, systemRole, extra } = channel.params;
    const known = this.known.get(keyOf(channel, model));
    const guessed = wantsCompletionTokens(model) ? 'max_completion_tokens' : 'max_tokens';
    return {
      maxTokensField: maxTokensField === 'auto' ? (known?.maxTokensField ?? guessed) : maxTokensField,
      streamOptions: streamOptions === 'auto' ? (known?.streamOptions ?? true) : streamOptions,
      systemRole,
      extra,
    };
  }

  /** The channel has answered what was asked so. */
  worked(channel: Channel, model: string, sent: WireParams, hasMaxTokens: boolean): void {
    const key = keyOf(channel, model);
    const known = this.known.get(key);
    const maxTokensField = hasMaxTokens ? sent.maxTokensField : known?.maxTokensField;
    if (known?.maxTokensField === maxTokensField && known?.streamOptions === sent.streamOptions) return;
    this.known.set(key, { maxTokensField, streamOptions: sent.streamOptions });
  }

  /**
   * How to ask once more after a refusal; undefined: it would be refused again.
   * @param tried what was changed for this request already; grows
   */
  instead(
    { params, provider }: Channel,
    hasMaxTokens: boolean,
    sent: WireParams,
    { facts: { refused } }: ChannelFault,
    tried: Set<RefusedParam>,
  ): WireParams | undefined {
    if (refused === undefined || tried.has(refused)) return undefined;
    tried.add(refused);
    const name = refused === 'max_tokens' ? 'maxTokensField' : 'streamOptions';
    if (chatModelOf(provider)?.variants.includes(name) !== true) return undefined;
    if (refused === 'max_tokens') {
      if (params.maxTokensField !== 'auto' || !hasMaxTokens) return undefined;
      const isOld = sent.maxTokensField === 'max_tokens';
      return { ...sent, maxTokensField: isOld ? 'max_completion_tokens' : 'max_tokens' };
    }
    if (params.streamOptions !== 'auto' || !sent.streamOptions) return undefined;
    return { ...sent, streamOptions: false };
  }
}

function keyOf(channel: Channel, model: string): string {
  return `${channel.key}\n${model}`;
}

import type { ModelsConfig } from '../../../config';
import type { Timeouts } from '../answer/timed';
import type { AuthHeader, MaxTokensField, WireParams } from '../providers/chat-model';

/** How a channel wants to be asked; `auto` is found out (see LearnedParams). */
export interface ChannelParams extends Pick<WireParams, 'systemRole' | 'extra'> {
  readonly maxTokensField: MaxTokensField | 'auto';
  readonly streamOptions: boolean | 'auto';
}

/** What a channel is given beyond its columns; stored as it is told, and complete with its defaults. */
export interface ChannelOptions {
  readonly firstMs?: number | undefined;
  readonly idleMs?: number | undefined;
  readonly params?: Partial<ChannelParams> | undefined;
  readonly models?: Readonly<Record<string, string>> | undefined;
  readonly authHeader?: AuthHeader | undefined;
  readonly contextTokens?: number | undefined;
}

export function paramsOf(given: Partial<ChannelParams> = {}): ChannelParams {
  const { maxTokensField = 'auto', streamOptions = 'auto', systemRole = 'system', extra = {} } = given;
  return { maxTokensField, streamOptions, systemRole, extra };
}

/** Of a channel that says nothing else. */
export function timeoutsOf(
  config: ModelsConfig,
  given: Pick<ChannelOptions, 'firstMs' | 'idleMs'>,
  totalMs = config.totalMs,
): Timeouts {
  return { firstMs: given.firstMs ?? config.firstMs, idleMs: given.idleMs ?? config.idleMs, totalMs };
}

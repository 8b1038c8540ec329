import { Inject, Injectable, Optional } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Channel, ChannelDirectory, SharedChannels } from '../channels/channel-directory';
import type { ModelPrices, ModelUsage } from '../contract';
import type { ChannelFault, MaxTokensField, RefusedParam, WireParams } from '../providers/chat-model';
import { chatModelOf, ECHO } from '../providers/registry';

/** Which channels a tenant's request may go to, in the order in which they are tried. */
@Injectable()
export class ChannelChoice {
  constructor(
    @Inject(ChannelDirectory) private readonly directory: { of(tenantId: string): Promise<readonly Channel[]> },
    private readonly shared: SharedChannels,
    /** From 0 to below 1. */
    @Optional() private readonly random: () => number = Math.random,
  ) {}

  /**
   * The tenant's own, then the environment's; those that are not enabled are left out, and it may be that none is left.
   * An echo stands in only where there is nothing else, not even something disabled: a tenant that has a model must not get
   * an echo for an answer.
   */
  async of(tenantId: string): Promise<readonly Channel[]> {
    const { environment, echo } = this.shared;
    const own = await this.directory.of(tenantId);
    const models = own.filter(({ provider }) => provider !== ECHO.provider);
    if (models.length > 0 || environment !== undefined)
      return [...this.ordered(models), ...(environment === undefined ? [] : [environment])];
    return own.length > 0 ? this.ordered(own) : [echo];
  }

  private ordered(channels: readonly Channel[]): Channel[] {
    const enabled = channels.filter((channel) => channel.enabled);
    return inOrder(enabled, this.random);
  }
}

interface Ranked {
  /** Lower comes first. */
  readonly priority: number;
  /** Among equals the share of the requests that come here first; 0: only after the others. */
  readonly weight: number;
}

/**
 * The order in which channels are tried: by priority, and by chance among equals, in proportion to their weights.
 * @param random from 0 to below 1
 */
export function inOrder<T extends Ranked>(channels: readonly T[], random: () => number): T[] {
  return channels
    .map((channel) => ({ channel, lot: lotOf(channel.weight, random()) }))
    .sort((a, b) => a.channel.priority - b.channel.priority || (a.lot < b.lot ? -1 : a.lot > b.lot ? 1 : 0))
    .map(({ channel }) => channel);
}

/** Drawn from the exponential distribution: the smallest of several is each with a chance in proportion to its weight. */
function lotOf(weight: number, random: number): number {
  return weight === 0 ? Infinity : -Math.log(1 - random) / weight;
}

/** Where nothing else is known of a model: tokens that it reads, its answer included. */
const DEFAULT_CONTEXT_TOKENS = 16_000;

/**
 * What is known of models by their names, the first that fits. A family is a vendor's: another vendor may use its
 * names otherwise. Where a model is served by many, the figure is one that common servers start with.
 */
const FAMILIES: readonly (readonly [family: string, pattern: RegExp, contextTokens: number])[] = [
  ['gpt', /^gpt-3\.5/, 16_385],
  ['gpt', /^gpt-4-32k/, 32_768],
  ['gpt', /^gpt-4(-0613|-0314)?$/, 8192],
  ['gpt', /^gpt-4\.1/, 1_047_576],
  ['gpt', /^(gpt-4|chatgpt)/, 128_000],
  ['gpt', /^gpt-[5-9]/, 400_000],
  ['gpt', /^o1-(mini|preview)/, 128_000],
  ['gpt', /^o[1-9](-|$)/, 200_000],
  ['claude', /^claude/, 200_000],
  ['gemini', /^gemini/, 1_048_576],
  ['gemma', /^gemma/, 8192],
  ['llama', /^(meta-)?llama-?2/, 4096],
  ['llama', /^(meta-)?llama-?3(?![.\d])/, 8192],
  ['llama', /^(meta-)?llama/, DEFAULT_CONTEXT_TOKENS],
  ['llama', /^tinyllama/, 2048],
  ['mistral', /^(mistral|mixtral|magistral|codestral|ministral|devstral|pixtral)/, 32_000],
  ['deepseek', /^deepseek/, 64_000],
  ['qwen', /^(qwen|qwq)/, 32_000],
  ['grok', /^grok/, 131_072],
  ['command', /^command/, 128_000],
  ['kimi', /^(kimi|moonshot)/, 128_000],
  ['phi', /^phi/, DEFAULT_CONTEXT_TOKENS],
];

/** Models that refuse `max_tokens` and want `max_completion_tokens`. */
const WANTS_COMPLETION_TOKENS = /^(o[1-9](-|$)|gpt-[5-9])/;

/** The tokens that a model reads, its answer included, by its name. */
export function contextTokensOf(model: string): number {
  return known(bare(model))?.[2] ?? DEFAULT_CONTEXT_TOKENS;
}

/** Whose names a name is one of: a vendor's, or those of a service that puts a vendor before each; undefined: unknown. */
export function familyOf(name: string): string | undefined {
  // Google's names of models are paths, and no vendor's.
  const model = name.replace(/^models\//, '');
  const slash = model.indexOf('/');
  return slash < 0 ? known(bare(model))?.[0] : model.slice(0, slash + 1).toLowerCase();
}

export function wantsCompletionTokens(model: string): boolean {
  return WANTS_COMPLETION_TOKENS.test(bare(model));
}

function known(name: string): (typeof FAMILIES)[number] | undefined {
  return FAMILIES.find(([, pattern]) => pattern.test(name));
}

/** Without what services put before a name. */
function bare(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1).toLowerCase();
}

/** A channel, as far as it says which models it has. */
interface Vendor {
  readonly model: string;
  /** Its own names for models, by the names that presets use. */
  readonly models: Readonly<Record<string, string>>;
  /** Channels of one service have the same. */
  readonly baseUrl: string;
}

/**
 * Which model each of the channels is asked for. A channel that has a name of its own for the model is asked for that.
 * Else the name is one of some vendor's, and a channel of another one would not know it: it is asked for its own model.
 * Where no channel is known to have the model, the first is asked for it, and those that lead to the same service.
 */
export function namesFor(channels: readonly Vendor[], model: string | undefined): string[] {
  if (model === undefined) return channels.map((channel) => channel.model);
  const fits = channels.map((channel) => hasModel(channel, model));
  const first = channels[0];
  return channels.map((channel, i) => {
    if (Object.hasOwn(channel.models, model)) return channel.models[model] ?? model;
    const isAsked = fits.includes(true) ? fits[i] : channel.baseUrl === first?.baseUrl;
    return isAsked === true ? model : channel.model;
  });
}

function hasModel(channel: Vendor, model: string): boolean {
  if (channel.model === model || Object.hasOwn(channel.models, model)) return true;
  const family = familyOf(model);
  return family !== undefined && family === familyOf(channel.model);
}

const MILLION = 1_000_000;

/** What a channel's provider asks for a model; undefined: it is not known. */
export function pricesOf(
  { prices, modelPrices }: Pick<Channel, 'prices' | 'modelPrices'>,
  model: string,
): ModelPrices | undefined {
  return (Object.hasOwn(modelPrices, model) ? modelPrices[model] : prices) ?? undefined;
}

/** Whether it has a price for any model. */
export function hasPrices({ prices, modelPrices }: Pick<Channel, 'prices' | 'modelPrices'>): boolean {
  return prices !== null || Object.keys(modelPrices).length > 0;
}

/** Prices that are at least as high as each of these; undefined: there are none. */
export function dearestOf(all: readonly (ModelPrices | undefined)[]): ModelPrices | undefined {
  const known = all.filter((prices) => prices !== undefined);
  if (known.length === 0) return undefined;
  const input = Math.max(...known.map((prices) => Math.max(prices.input, prices.cached ?? 0)));
  return { input, output: Math.max(...known.map((prices) => prices.output)) };
}

export function costOf(usage: ModelUsage, prices: ModelPrices | undefined): number | undefined {
  if (prices === undefined) return undefined;
  const { promptTokens, cachedPromptTokens: cached = 0, completionTokens } = usage;
  const { input, output } = prices;
  return ((promptTokens - cached) * input + cached * (prices.cached ?? input) + completionTokens * output) / MILLION;
}

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

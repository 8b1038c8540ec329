import { Injectable } from '@nestjs/common';
import { invalid, notFound } from '../../../common/errors';
import { encodeId } from '../../../common/ids';
import { ModelsConfig } from '../../../config';
import { publicUrl } from '../../../platform/outbound';
import { FaultBook, hintOfReason, type NotedFault } from '../routing/fault-book';
import type { ChannelTest } from '../routing/models.service';
import type {
  ChannelDto,
  ChannelFaultDto,
  ChannelParamsDto,
  ChannelTestDto,
  ChannelTestUsageDto,
  CreateChannelDto,
  EnvironmentChannelDto,
  PatchChannelDto,
} from '../dto/channel.dto';
import type { ModelPrices, ModelUsage } from '../contract';
import { WIRE_VARIANTS, type WireVariant } from '../providers/chat-model';
import { authHeaderOf, chatModelOf } from '../providers/registry';
import { epochMs, later } from '../views';
import {
  type ChannelOptions,
  type ChannelParams,
  type ChannelRow,
  type ChannelValues,
  paramsOf,
  timeoutsOf,
} from './channels.repository';
import { ChannelConnections, ENVIRONMENT, environmentChannel } from './channel-directory';

const MAX_MODELS = 100;
const MAX_MODEL_NAME = 200;
/** Fields of a request that are the server's own business. */
const OWN_FIELDS = ['model', 'messages', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens', 'n'];
/** A key in a URL would be shown with it. */
const CREDENTIAL = /key|token|secret|sig|password/i;

/** What channels are in requests, in rows and in answers. */
@Injectable()
export class ChannelViews {
  constructor(
    private readonly config: ModelsConfig,
    private readonly connections: ChannelConnections,
    private readonly faults: FaultBook,
  ) {}

  valuesOf(body: CreateChannelDto): ChannelValues {
    const model = chatModelOf(body.provider);
    return checkedWire({
      name: body.name,
      provider: body.provider,
      base_url: body.baseUrl === undefined ? (model?.defaultBaseUrl ?? '') : this.urlOf(body.baseUrl),
      model: body.model ?? model?.defaultModel ?? '',
      priority: body.priority ?? 0,
      weight: body.weight ?? 1,
      enabled: body.enabled ?? true,
      max_tokens: body.maxTokens ?? null,
      temperature: body.temperature ?? null,
      timeout_ms: totalOf(body, this.config.totalMs) ?? this.config.totalMs,
      options: optionsOf({}, body),
    });
  }

  /** A channel with what is sent of it; what is not sent stays. */
  merged(before: ChannelValues, body: PatchChannelDto): ChannelValues {
    return checkedWire({
      name: body.name ?? before.name,
      provider: body.provider ?? before.provider,
      base_url: body.baseUrl === undefined ? before.base_url : this.urlOf(body.baseUrl),
      model: body.model ?? before.model,
      priority: body.priority ?? before.priority,
      weight: body.weight ?? before.weight,
      enabled: body.enabled ?? before.enabled,
      max_tokens: body.maxTokens === undefined ? before.max_tokens : body.maxTokens,
      temperature: body.temperature === undefined ? before.temperature : body.temperature,
      timeout_ms: totalOf(body, this.config.totalMs) ?? before.timeout_ms,
      options: optionsOf(before.options, body),
    });
  }

  view(row: ChannelRow): ChannelDto {
    const { options } = row;
    return {
      id: encodeId('channel', row.channel_id),
      name: row.name,
      provider: row.provider,
      baseUrl: row.base_url,
      hasApiKey: row.has_api_key,
      model: row.model,
      priority: row.priority,
      weight: row.weight,
      enabled: row.enabled,
      maxTokens: row.max_tokens,
      temperature: row.temperature,
      timeoutMs: row.timeout_ms,
      timeouts: timeoutsOf(this.config, options, row.timeout_ms),
      params: paramsOf(options.params),
      models: { ...options.models },
      authHeader: options.authHeader ?? authHeaderOf(row.provider),
      contextTokens: options.contextTokens ?? null,
      vision: options.vision ?? false,
      prices: options.prices ?? null,
      modelPrices: { ...options.modelPrices },
      lastFaults: this.faultsOf(row.channel_id),
      createdAt: epochMs(row.created_at),
      updatedAt: epochMs(row.updated_at),
    };
  }

  environment(): EnvironmentChannelDto {
    const channel = environmentChannel(this.config, this.connections.ofEnvironment);
    if (channel === undefined) throw notFound('Channel');
    const { name, provider, baseUrl, model, timeouts } = channel;
    return { name, provider, baseUrl, model, timeouts, lastFaults: this.faultsOf(ENVIRONMENT) };
  }

  tested({ model, latencyMs, usage, fault }: ChannelTest): ChannelTestDto {
    return {
      ok: fault === undefined,
      ...{ model, latencyMs },
      usage: usage === undefined ? null : usageView(usage),
      error: fault === undefined ? null : faultView(fault),
    };
  }

  private faultsOf(channelId: string): ChannelFaultDto[] {
    return this.faults.ofChannel(channelId).map(faultView);
  }

  private urlOf(text: string): string {
    const url = publicUrl(text, 'baseUrl', this.config.allowPrivate);
    if ([...url.searchParams.keys()].some((name) => CREDENTIAL.test(name)))
      throw invalid('baseUrl', 'baseUrl must not have a key in its query: put it into apiKey');
    url.pathname = url.pathname.replace(/\/+$/, '');
    return url.search === '' ? url.href.replace(/\/$/, '') : url.href;
  }
}

function faultView({ at, model, reason, status, type, code, fault, said }: NotedFault): ChannelFaultDto {
  return {
    ...{ at, model, reason, hint: hintOfReason(reason), fault },
    ...{ status: status ?? null, type: type ?? null, code: code ?? null, providerMessage: said ?? null },
  };
}

function usageView({ promptTokens, completionTokens, totalTokens, estimated }: ModelUsage): ChannelTestUsageDto {
  return { promptTokens, completionTokens, totalTokens, estimated };
}

/** For the whole answer; undefined: not said. */
function totalOf({ timeoutMs, timeouts }: PatchChannelDto, otherwise: number): number | undefined {
  const totalMs = timeouts?.totalMs === null ? otherwise : timeouts?.totalMs;
  if (timeoutMs !== undefined && totalMs !== undefined && timeoutMs !== totalMs)
    throw invalid('timeouts.totalMs', 'timeouts.totalMs is the same as timeoutMs: send one of them');
  return totalMs ?? timeoutMs;
}

function optionsOf(before: ChannelOptions, body: PatchChannelDto): ChannelOptions {
  const { timeouts, params, models, authHeader, contextTokens, prices, modelPrices } = body;
  return {
    firstMs: later(before.firstMs, timeouts?.firstMs),
    idleMs: later(before.idleMs, timeouts?.idleMs),
    params: params === undefined ? before.params : { ...before.params, ...checkedParams(params) },
    models: models === undefined ? before.models : checkedModels(models),
    authHeader: later(before.authHeader, authHeader),
    contextTokens: later(before.contextTokens, contextTokens),
    vision: body.vision ?? before.vision,
    prices: later(before.prices, prices),
    modelPrices: modelPrices === undefined ? before.modelPrices : checkedPrices(modelPrices),
  };
}

/** What a provider's protocol does not have is refused, so that nobody believes it to be in force. */
function checkedWire(values: ChannelValues): ChannelValues {
  const variants: readonly WireVariant[] = chatModelOf(values.provider)?.variants ?? WIRE_VARIANTS;
  const { maxTokensField, streamOptions, systemRole } = paramsOf(values.options.params);
  const refuse = (variant: WireVariant, name: keyof ChannelParams, value: unknown): void => {
    if (variants.includes(variant)) return;
    throw invalid(`params.${name}`, `A channel of ${values.provider} takes no ${name} ${String(value)}`);
  };
  if (maxTokensField !== 'auto') refuse('maxTokensField', 'maxTokensField', maxTokensField);
  if (streamOptions !== 'auto') refuse('streamOptions', 'streamOptions', streamOptions);
  if (systemRole === 'developer') refuse('developer', 'systemRole', systemRole);
  return values;
}

function checkedParams(params: ChannelParamsDto): Partial<ChannelParams> {
  const taken = OWN_FIELDS.find((name) => Object.hasOwn(params.extra ?? {}, name));
  if (taken !== undefined) throw invalid('params.extra', `params.extra must not have "${taken}"`);
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}

function checkedModels(models: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(models);
  if (entries.length > MAX_MODELS) throw invalid('models', `models must have at most ${MAX_MODELS} names`);
  for (const name of entries.flat())
    if (typeof name !== 'string' || name === '' || [...name].length > MAX_MODEL_NAME)
      throw invalid('models', `models must have names of 1-${MAX_MODEL_NAME} characters for names of such`);
  return models as Record<string, string>;
}

function checkedPrices(prices: Readonly<Record<string, unknown>>): Record<string, ModelPrices> {
  const entries = Object.entries(prices);
  if (entries.length > MAX_MODELS) throw invalid('modelPrices', `modelPrices must have at most ${MAX_MODELS} names`);
  for (const [name, value] of entries) {
    const { input, output, cached = 0, ...rest } = (value ?? {}) as Readonly<Record<string, unknown>>;
    const isPrices = [input, output, cached].every(isPrice) && Object.keys(rest).length === 0;
    if (!isPrices)
      throw invalid('modelPrices', `modelPrices["${name}"] must have input, output and perhaps cached: ${PRICE}`);
  }
  return prices as Record<string, ModelPrices>;
}

const PRICE = 'numbers from 0 to 1,000,000,000';

function isPrice(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1_000_000_000;
}

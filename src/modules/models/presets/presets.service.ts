import { Injectable } from '@nestjs/common';
import { AppError, invalid, notFound } from '../../../common/errors';
import type { PageRequest } from '../../../common/limits';
import { isStorableText, jsonBytes } from '../../../common/text';
import type { Caller } from '../../../platform/auth';
import { Effects } from '../../../platform/idempotency';
import { checkedResponseFormat, type Preset, type ResponseFormat } from '../contract';
import type { CreatePresetDto, PatchPresetDto, PresetDto, PresetPageDto } from '../dto/preset.dto';
import { camelPageInfo, epochMs, later } from '../views';
import {
  DEFAULT_PRESET,
  DEFAULT_VALUES,
  type PresetRow,
  PresetsRepository,
  type PresetValues,
} from './presets.repository';

/** Beside `default`. */
const MAX_PRESETS = 100;
const MAX_PROMPT_BYTES = 32 * 1024;

type Created =
  { readonly status: 'ok'; readonly preset: PresetRow } | { readonly status: 'full' } | { readonly status: 'taken' };

/** The default preset of a tenant that has not changed it. */
const AS_SHIPPED: PresetRow = { name: DEFAULT_PRESET, ...DEFAULT_VALUES, created_at: null, updated_at: null };

/** The presets of the tenants: how their assistants are asked to behave. */
@Injectable()
export class PresetsService {
  constructor(
    private readonly repository: PresetsRepository,
    private readonly effects: Effects,
  ) {}

  /** Undefined: the tenant has no such preset. `default` always exists. */
  async findPreset(tenantId: string, name: string): Promise<Preset | undefined> {
    const row = await this.rowOf(tenantId, name);
    if (row === undefined) return undefined;
    const { createdAt: _createdAt, updatedAt: _updatedAt, ...preset } = presetView(row);
    const { contextTokens: _contextTokens, ...options } = row.options;
    const { model, temperature, max_tokens } = row;
    return {
      ...preset,
      options: {
        ...options,
        model: model ?? undefined,
        temperature: temperature ?? undefined,
        maxTokens: max_tokens ?? undefined,
      },
    };
  }

  /** Those of these names that the tenant has. */
  async known(tenantId: string, names: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set([DEFAULT_PRESET, ...(await this.repository.names(tenantId, names))]);
  }

  async create(caller: Caller, body: CreatePresetDto): Promise<PresetDto> {
    const { name, systemPrompt } = body;
    checkPrompt(systemPrompt);
    const values = merged({ ...DEFAULT_VALUES, system_prompt: systemPrompt }, body);
    if (name === DEFAULT_PRESET) throw nameTaken(name, '; change it with PATCH');
    const result = await this.effects.transaction<Created>(caller, 'create preset', async (tx) => {
      const preset = { ...values, name, tenant_id: caller.tenantId };
      const row = await this.repository.create(tx, preset, { limit: MAX_PRESETS, uncounted: DEFAULT_PRESET });
      return typeof row === 'string' ? { status: row } : { status: 'ok', preset: row };
    });
    if (result.status === 'full') throw new AppError('CONFLICT', `A tenant has at most ${MAX_PRESETS} presets`);
    if (result.status === 'taken') throw nameTaken(name);
    return presetView(result.preset);
  }

  async list({ tenantId, kind }: Caller, page: PageRequest): Promise<PresetPageDto> {
    const [rows, others] = await Promise.all([
      this.repository.list(tenantId, AS_SHIPPED, page),
      this.repository.countOthers(tenantId, DEFAULT_PRESET),
    ]);
    const presets = rows.map((row) => shownTo(kind, presetView(row)));
    return { presets, ...camelPageInfo(page, rows.length, others + 1) };
  }

  async get({ tenantId, kind }: Caller, name: string): Promise<PresetDto> {
    const row = await this.rowOf(tenantId, name);
    if (row === undefined) throw notFound('Preset');
    return shownTo(kind, presetView(row));
  }

  async change({ tenantId }: Caller, name: string, body: PatchPresetDto): Promise<PresetDto> {
    if (!isStorableText(name)) throw notFound('Preset');
    if (body.systemPrompt !== undefined) checkPrompt(body.systemPrompt);
    const otherwise = name === DEFAULT_PRESET ? DEFAULT_VALUES : undefined;
    const row = await this.repository.change(tenantId, name, (before) => merged(before, body), otherwise);
    if (row === undefined) throw notFound('Preset');
    return presetView(row);
  }

  /** `default` goes back to what comes with the server, also where it is that already. */
  async delete({ tenantId }: Caller, name: string): Promise<void> {
    const isDeleted = isStorableText(name) && (await this.repository.delete(tenantId, name));
    if (!isDeleted && name !== DEFAULT_PRESET) throw notFound('Preset');
  }

  private async rowOf(tenantId: string, name: string): Promise<PresetRow | undefined> {
    // A name that cannot be stored is one that does not exist.
    const row = isStorableText(name) ? await this.repository.find(tenantId, name) : null;
    return row ?? (name === DEFAULT_PRESET ? AS_SHIPPED : undefined);
  }
}

/** A system prompt is between the tenant and the model: users may pick a preset, and not read it. */
function shownTo(kind: Caller['kind'], preset: PresetDto): PresetDto {
  return kind === 'token' ? { ...preset, systemPrompt: null } : preset;
}

function checkPrompt(text: string): void {
  if (jsonBytes(text) > MAX_PROMPT_BYTES) throw invalid('systemPrompt', 'systemPrompt must have at most 32 KB');
}

function nameTaken(name: string, hint = ''): AppError {
  return new AppError('CONFLICT', `There is a preset "${name}" already${hint}`, { field: 'name' });
}

function merged(before: PresetValues, body: PatchPresetDto): PresetValues {
  return {
    system_prompt: body.systemPrompt ?? before.system_prompt,
    model: body.model === undefined ? before.model : body.model,
    temperature: body.temperature === undefined ? before.temperature : body.temperature,
    max_tokens: body.maxTokens === undefined ? before.max_tokens : body.maxTokens,
    context_messages: body.contextMessages ?? before.context_messages,
    options: {
      topP: later(before.options.topP, body.topP),
      stop: later(before.options.stop, body.stop),
      reasoningEffort: later(before.options.reasoningEffort, body.reasoningEffort),
      responseFormat: later(before.options.responseFormat, formatIn(body)),
      seed: later(before.options.seed, body.seed),
      contextTokens: later(before.options.contextTokens, body.contextTokens),
    },
  };
}

function formatIn({ responseFormat }: PatchPresetDto): ResponseFormat | null | undefined {
  return responseFormat && checkedResponseFormat(responseFormat, 'responseFormat');
}

function presetView(row: PresetRow): PresetDto & Pick<Preset, 'systemPrompt'> {
  const { options } = row;
  return {
    name: row.name,
    systemPrompt: row.system_prompt,
    model: row.model,
    temperature: row.temperature,
    maxTokens: row.max_tokens,
    topP: options.topP ?? null,
    stop: options.stop === undefined ? null : [...options.stop],
    reasoningEffort: options.reasoningEffort ?? null,
    responseFormat: options.responseFormat ?? null,
    seed: options.seed ?? null,
    contextMessages: row.context_messages,
    contextTokens: options.contextTokens ?? null,
    createdAt: row.created_at === null ? null : epochMs(row.created_at),
    updatedAt: row.updated_at === null ? null : epochMs(row.updated_at),
  };
}

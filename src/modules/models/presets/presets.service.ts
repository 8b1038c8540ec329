import { Injectable } from '@nestjs/common';
import { AppError, invalid, notFound } from '../../../common/errors';
import type { PageRequest } from '../../../common/limits';
import { isStorableText, jsonBytes } from '../../../common/text';
import type { AuditFields } from '../../../platform/audit';
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
    const { contextTokens: _contextTokens, keepReasoning: _keepReasoning, ...options } = row.options;
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
    const result = await this.effects.transaction<Created, 'preset.create'>(
      caller,
      'create preset',
      async (tx) => {
        const preset = { ...values, name, tenant_id: caller.tenantId };
        const row = await this.repository.create(tx, preset, { limit: MAX_PRESETS, uncounted: DEFAULT_PRESET });
        return typeof row === 'string' ? { status: row } : { status: 'ok', preset: row };
      },
      { audit: { action: 'preset.create', entry: () => ({ target: name, after: audited(values) }) } },
    );
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

  async change(caller: Caller, name: string, body: PatchPresetDto): Promise<PresetDto> {
    const { tenantId } = caller;
    if (!isStorableText(name)) throw notFound('Preset');
    if (body.systemPrompt !== undefined) checkPrompt(body.systemPrompt);
    const otherwise = name === DEFAULT_PRESET ? DEFAULT_VALUES : undefined;
    const change = (before: PresetValues): PresetValues => merged(before, body);
    const { changed } = await this.effects.transaction(
      caller,
      'change preset',
      async (tx) => ({ status: 'ok', changed: await this.repository.change(tx, tenantId, name, change, otherwise) }),
      {
        audit: {
          action: 'preset.update',
          entry: ({ changed }) =>
            changed && { target: name, before: audited(changed.before), after: audited(changed.after) },
        },
      },
    );
    if (changed === undefined) throw notFound('Preset');
    return presetView(changed.after);
  }

  /** `default` goes back to what comes with the server, also where it is that already. */
  async delete(caller: Caller, name: string): Promise<void> {
    if (!isStorableText(name)) throw notFound('Preset');
    const { gone } = await this.effects.transaction(
      caller,
      'delete preset',
      async (tx) => ({ status: 'ok', gone: await this.repository.delete(tx, caller.tenantId, name) }),
      { audit: { action: 'preset.delete', entry: ({ gone }) => gone && { target: name, before: audited(gone) } } },
    );
    if (gone === undefined && name !== DEFAULT_PRESET) throw notFound('Preset');
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
      keepReasoning: body.keepReasoning ?? before.options.keepReasoning,
    },
  };
}

function audited(values: PresetValues): AuditFields<'preset.update'> {
  const { system_prompt, model, temperature, max_tokens, context_messages, options } = values;
  return { system_prompt, model, temperature, max_tokens, context_messages, options };
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
    keepReasoning: options.keepReasoning ?? false,
    createdAt: row.created_at === null ? null : epochMs(row.created_at),
    updatedAt: row.updated_at === null ? null : epochMs(row.updated_at),
  };
}

import { Injectable } from '@nestjs/common';
import { AppError, invalid } from '../../../common/errors';
import { userIdFault } from '../../../common/text';
import { type Caller, settingOf, userErased, UserRefusals } from '../../../platform/auth';
import { type AnswerOptions, checkedResponseFormat, type Preset, PresetsService } from '../../models';

/** How a request wants its answer, in the names of its own API, of which errors name one. */
export interface AskedOptions {
  readonly model: string;
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  readonly effort?: Named<AnswerOptions['reasoningEffort']>;
  readonly format?: Named<Readonly<Record<string, unknown>>>;
  readonly maxTokens?: Named<number>;
  /** What goes behind the preset's system prompt, and the field that it is from. */
  readonly instructions?: Named<string>;
}

export interface Named<T> {
  readonly field: string;
  readonly value: T | undefined;
}

/** What an answer is made with. */
export interface Wanted {
  readonly preset: Preset;
  readonly options: AnswerOptions;
  readonly instructions: string | undefined;
}

/**
 * Who asks, and what they may: the same for all of `/v1/*`. An API key may say everything. A user token picks a preset and gets
 * what that gives, unless the tenant's setting `openai_door` is `open`: the system prompt is between the tenant and the model.
 */
@Injectable()
export class OpenAiRules {
  constructor(
    private readonly presets: PresetsService,
    private readonly refusals: UserRefusals,
  ) {}

  /**
   * The caller as the user that a request of a key names: in `X-User-Id`, else in its body. A user token is its own.
   * @throws 400 where the two differ, or what is named can be no user; 403 for one who was erased
   */
  callerOf(caller: Caller, user: string | undefined): Caller {
    if (caller.kind !== 'key' || user === undefined) return caller;
    const fault = userIdFault(user);
    if (fault !== undefined) throw invalid('user', `user ${fault}`);
    if (caller.optionalUserId === user) return caller;
    if (caller.optionalUserId !== undefined) throw invalid('user', 'user and X-User-Id must not differ');
    if (this.refusals.isRefused(caller.tenantId, user)) throw userErased();
    const acting = caller.actingAs(user);
    acting.idempotency = caller.idempotency;
    return acting;
  }

  /** Whether the caller may ask for more than a preset gives. */
  isFree({ kind, tenant }: Caller): boolean {
    return kind === 'key' || settingOf(tenant, 'openai_door') === 'open';
  }

  /** @throws 404 for a model that is no preset of the tenant's; 403 for what the caller may not ask for; 400 */
  async wanted(caller: Caller, asked: AskedOptions): Promise<Wanted> {
    const preset = await this.presets.findPreset(caller.tenantId, asked.model);
    if (!this.isFree(caller)) refuseBeyond(preset, asked);
    if (preset === undefined) throw noSuchModel(asked.model);
    const { temperature, top_p: topP, stop, seed, effort, format, maxTokens, instructions } = asked;
    const options = {
      ...{ temperature, topP, stop, seed },
      reasoningEffort: effort?.value,
      responseFormat: format?.value && checkedResponseFormat(format.value, format.field),
      maxTokens: maxTokens?.value,
    };
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    return { preset, options: given, instructions: instructions?.value };
  }

  /** @throws 400 where nobody is named for whom something could be stored */
  needUser({ optionalUserId }: Caller): void {
    if (optionalUserId === undefined)
      throw invalid('user', 'user is required, or the header X-User-Id: something is stored for that user');
  }
}

/** 404 for a model that is no preset. */
export function noSuchModel(model: string): AppError {
  return new AppError(
    'NOT_FOUND',
    `The model ${JSON.stringify(model.slice(0, 100))} does not exist: GET /v1/models lists them`,
    {
      field: 'model',
    },
  );
}

/** 403 for what only API keys may say. */
export function keysOnly(field: string): AppError {
  return new AppError('AUTHORIZATION_ERROR', `Only API keys may set ${field}: leave it out`, { field });
}

function refuseBeyond(preset: Preset | undefined, asked: AskedOptions): void {
  if (preset === undefined)
    throw new AppError('AUTHORIZATION_ERROR', 'model must be one that GET /v1/models lists', { field: 'model' });
  const { temperature, top_p, stop, seed, effort, format, maxTokens, instructions } = asked;
  const named: readonly Named<unknown>[] = [
    ...(instructions === undefined ? [] : [instructions]),
    ...Object.entries({ temperature, top_p, stop, seed }).map(([field, value]) => ({ field, value })),
    ...(effort === undefined ? [] : [effort]),
    ...(format === undefined ? [] : [format]),
  ];
  const refused = named.find(({ value }) => value !== undefined);
  if (refused !== undefined) throw keysOnly(refused.field);
  const most = preset.maxTokens ?? undefined;
  if (maxTokens?.value === undefined || (most !== undefined && maxTokens.value <= most)) return;
  const allowed = most === undefined ? 'leave it out' : `at most ${most}`;
  throw new AppError('AUTHORIZATION_ERROR', `Only API keys may set ${maxTokens.field} beyond the model's: ${allowed}`, {
    field: maxTokens.field,
  });
}

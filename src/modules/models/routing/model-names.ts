/** Where nothing else is known of a model: tokens that it reads, its answer included. */
export const DEFAULT_CONTEXT_TOKENS = 16_000;

/**
 * What is known of models by their names, the first that fits. A family is a vendor's: its names mean nothing to others.
 * Where a model is served by everybody, the figure is one that common servers start with.
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
export function familyOf(model: string): string | undefined {
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
export interface Vendor {
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

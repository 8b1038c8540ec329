import type { PresetValues } from './presets.repository';

/** The preset that every tenant has; what a tenant changes of it is a row. */
export const DEFAULT_PRESET = 'default';

export const DEFAULT_CONTEXT_MESSAGES = 20;

export const DEFAULT_VALUES: PresetValues = {
  system_prompt: 'You are a helpful assistant.',
  model: null,
  temperature: null,
  max_tokens: null,
  context_messages: DEFAULT_CONTEXT_MESSAGES,
  options: {},
};

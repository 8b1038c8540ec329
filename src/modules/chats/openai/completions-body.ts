import { invalid } from '../../../common/errors';
import type { AskedOptions } from './rules';
import type { ChatCompletionDto } from './dto/completion.dto';
import { scalar } from '../../../platform/http';
import {
  type Harmless,
  instructionsOf,
  isEmpty,
  isOneOf,
  keepMessages,
  keepOf,
  type ReadMessage,
  readMessages,
  refuseUnsupported,
  whole,
} from './openai-body';

const FIELDS = {
  ...{ model: scalar, messages: keepMessages, stream: scalar, temperature: scalar, top_p: scalar, user: scalar },
  ...{ stream_options: whole, max_completion_tokens: scalar, max_tokens: scalar, seed: scalar },
  ...{ reasoning_effort: scalar, response_format: whole },
  stop: (value: unknown) => (typeof value === 'string' ? [value] : whole(value)),
};

const UNSUPPORTED: Harmless = {
  n: isOneOf(1),
  logprobs: isOneOf(false),
  top_logprobs: isOneOf(0),
  presence_penalty: isOneOf(0),
  frequency_penalty: isOneOf(0),
  logit_bias: isEmpty,
  tools: isEmpty,
  tool_choice: isOneOf('none', 'auto'),
  functions: isEmpty,
  function_call: isOneOf('none', 'auto'),
  modalities: (value) => Array.isArray(value) && value.every(isOneOf('text')),
  audio: () => false,
  web_search_options: () => false,
};

/** See `KeepOfBody`. */
export function keepCompletion(body: unknown): unknown {
  return keepOf(body, FIELDS, UNSUPPORTED);
}

/** What a completion is asked with. */
export interface CompletionRequest {
  /** In order, without those of the system; the last one is the user's. */
  readonly messages: readonly ReadMessage[];
  readonly asked: AskedOptions;
  readonly isStream: boolean;
  readonly includeUsage: boolean;
}

/** @throws 400 that names what is wrong */
export function completionRequest(body: ChatCompletionDto): CompletionRequest {
  refuseUnsupported(body);
  const { model, temperature, top_p, stop, seed, stream = false, stream_options: streamOptions } = body;
  const read = readMessages(body.messages, 'messages');
  const messages = read.filter(({ role }) => role !== 'system');
  const last = messages.at(-1);
  if (last?.role !== 'user') throw invalid(last?.field ?? 'messages', 'The last message must be the user’s');
  const { include_usage: includeUsage = false } = streamOptions ?? {};
  if (typeof includeUsage !== 'boolean')
    throw invalid('stream_options.include_usage', 'stream_options.include_usage must be true or false');
  if (streamOptions !== undefined && !stream) throw invalid('stream_options', 'stream_options needs stream: true');
  const isOld = body.max_completion_tokens === undefined;
  const asked = {
    ...{ model, temperature, top_p, stop, seed },
    effort: { field: 'reasoning_effort', value: body.reasoning_effort },
    format: { field: 'response_format', value: body.response_format },
    maxTokens: {
      field: isOld ? 'max_tokens' : 'max_completion_tokens',
      value: body.max_completion_tokens ?? body.max_tokens,
    },
    instructions: {
      field: read.find(({ role }) => role === 'system')?.field ?? 'messages',
      value: instructionsOf(read),
    },
  };
  return { messages, asked, isStream: stream, includeUsage };
}

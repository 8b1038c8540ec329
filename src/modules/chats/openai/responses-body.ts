import { invalid } from '../../../common/errors';
import { MAX_CONTENT } from '../../../common/limits';
import { codePoints, isObject } from '../../../common/text';
import { REASONING_EFFORTS, type ReasoningEffort } from '../../models';
import type { AskedOptions } from './rules';
import type { CreateResponseDto } from './dto/response.dto';
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
  ...{ model: scalar, stream: scalar, temperature: scalar, top_p: scalar, user: scalar, instructions: scalar },
  ...{ previous_response_id: scalar, store: scalar, background: scalar, max_output_tokens: scalar },
  ...{ text: whole, reasoning: whole },
  input: (value: unknown) => keepMessages(typeof value === 'string' ? [{ role: 'user', content: value }] : value),
};

const UNSUPPORTED: Harmless = {
  tools: isEmpty,
  tool_choice: isOneOf('none', 'auto'),
  top_logprobs: isOneOf(0),
  max_tool_calls: () => false,
  conversation: () => false,
  prompt: () => false,
  modalities: (value) => Array.isArray(value) && value.every(isOneOf('text')),
};

/** See `KeepOfBody`. */
export function keepResponse(body: unknown): unknown {
  return keepOf(body, FIELDS, UNSUPPORTED);
}

/** What a response is asked with. */
export interface ResponseRequest {
  /** In order, without those of the system; the last one is the user's. */
  readonly messages: readonly ReadMessage[];
  readonly asked: AskedOptions;
  readonly previous: string | undefined;
  readonly isStream: boolean;
  readonly isStored: boolean;
  readonly isBackground: boolean;
}

/** @throws 400 that names what is wrong */
export function responseRequest(body: CreateResponseDto): ResponseRequest {
  refuseUnsupported(body);
  const { model, temperature, top_p, instructions, previous_response_id: previous } = body;
  const { stream = false, store = true, background = false } = body;
  const read = readMessages(body.input, 'input');
  const messages = read.filter(({ role }) => role !== 'system');
  const last = messages.at(-1);
  if (last?.role !== 'user') throw invalid(last?.field ?? 'input', 'The last message must be the user’s');
  if (background && !store)
    throw invalid('background', 'background needs store: what is not stored cannot be read later');
  if (!store && previous !== undefined)
    throw invalid('previous_response_id', 'previous_response_id needs store: the turn belongs to its chat');
  const system = read.find(({ role }) => role === 'system')?.field;
  const asked = {
    ...{ model, temperature, top_p },
    effort: { field: 'reasoning.effort', value: effortOf(body.reasoning) },
    format: { field: 'text.format', value: formatOf(body.text) },
    maxTokens: { field: 'max_output_tokens', value: body.max_output_tokens },
    instructions: {
      field: instructions === undefined ? (system ?? 'instructions') : 'instructions',
      value: instructionsOf(read, instructions),
    },
  };
  return { messages, asked, previous, isStream: stream, isStored: store, isBackground: background };
}

/** What the user says, and shows, in a chat, whose log has the rest. @throws 400 for what others have said, and where it is too long */
export function questionIn({ messages }: ResponseRequest): Pick<ReadMessage, 'content' | 'images'> {
  const other = messages.find(({ role }) => role !== 'user');
  if (other !== undefined)
    throw invalid(
      other.field,
      `${other.field} is the assistant’s: name the answer as previous_response_id, or send store: false`,
    );
  const content = messages.map((message) => message.content).join('\n\n');
  if (codePoints(content) > MAX_CONTENT) throw invalid('input', `input must have at most ${MAX_CONTENT} characters`);
  return { content, images: messages.flatMap(({ images }) => images) };
}

function effortOf(reasoning: Readonly<Record<string, unknown>> = {}): ReasoningEffort | undefined {
  const effort = reasoning['effort'] ?? undefined;
  if (effort === undefined) return undefined;
  const known = REASONING_EFFORTS.find((one) => one === effort);
  if (known === undefined)
    throw invalid('reasoning.effort', `reasoning.effort must be one of ${REASONING_EFFORTS.join(', ')}`);
  return known;
}

/** The shape of the answer as chat completions spell it; `text` is none. */
function formatOf(text: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> | undefined {
  const format = text['format'] ?? undefined;
  if (format === undefined) return undefined;
  if (!isObject(format)) throw invalid('text.format', 'text.format must be an object');
  const { type, ...rest } = format;
  if (type === 'text') return undefined;
  if (type !== 'json_schema') return format;
  const given = Object.entries(rest).filter(([, value]) => value !== null);
  return { type, json_schema: Object.fromEntries(given) };
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { Anthropic } from './anthropic';
import { type AuthHeader, ChatModel, type ChatRequest, type Endpoint, type RawPart, WIRE_VARIANTS } from './chat-model';
import { Google } from './google';
import { OpenAiCompatible } from './openai-compatible';

const QUOTED_CHARACTERS = 200;
const HELP =
  'No model is configured, so this is only an echo. To get real answers, set OPENAI_API_KEY (for another provider also ' +
  'OPENAI_BASE_URL and OPENAI_MODEL) and start the server again, or add a channel with POST /api/channels. You said: ';

/** Stands in where there is no model at all: no network, and always the same answer to the same question. */
export class Echo extends ChatModel {
  readonly provider = 'echo';
  readonly defaultBaseUrl = '';
  readonly defaultModel = 'echo';
  readonly defaultAuthHeader = 'authorization';
  /** It asks nobody: none of them is wrong. */
  readonly variants = WIRE_VARIANTS;

  async *stream(_endpoint: Endpoint, { messages, signal }: ChatRequest): AsyncGenerator<RawPart> {
    const said = messages.findLast(({ role }) => role === 'user')?.content ?? '';
    for (const word of wordsOf(`${HELP}${shortened(said)}`)) {
      // Lets a stop, and other work of the process, in between.
      await nextTurn();
      signal.throwIfAborted();
      yield { type: 'text', text: word };
    }
    yield { type: 'finished', finishReason: 'stop', promptTokens: undefined, completionTokens: undefined };
  }
}

/** Words with the white space behind them: together they are the text. */
function wordsOf(text: string): string[] {
  return text.match(/\s*\S+\s*/g) ?? [];
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length <= QUOTED_CHARACTERS ? text : `${characters.slice(0, QUOTED_CHARACTERS).join('')}…`;
}

export const ECHO = new Echo();
export const OPENAI_COMPATIBLE = new OpenAiCompatible();
export const ANTHROPIC = new Anthropic();
export const GOOGLE = new Google();

/** Every provider that a channel can have. A new one is a file beside this one and its name here. */
const CHAT_MODELS: readonly ChatModel[] = [OPENAI_COMPATIBLE, ANTHROPIC, GOOGLE, ECHO];

const BY_PROVIDER: ReadonlyMap<string, ChatModel> = new Map(CHAT_MODELS.map((model) => [model.provider, model]));

export const PROVIDERS: readonly string[] = [...BY_PROVIDER.keys()];

/** Undefined for a provider that this version does not know. */
export function chatModelOf(provider: string): ChatModel | undefined {
  return BY_PROVIDER.get(provider);
}

/** The header of a channel's key where the channel names none. */
export function authHeaderOf(provider: string): AuthHeader {
  return chatModelOf(provider)?.defaultAuthHeader ?? 'authorization';
}

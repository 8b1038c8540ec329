import { type Fields, isObject } from '../../../common/text';
import type { FinishReason, ModelImage, ReasoningEffort, ResponseFormat } from '../contract';
import { ChannelFault, type ChatRequest, type Endpoint, type Finished, type RawPart } from './chat-model';
import { dialogueOf } from './dialogue';
import {
  type AnswerReader,
  defined,
  documentsOf,
  firstOf,
  isCount,
  NO_PARTS,
  StreamedModel,
  type StreamEvent,
  urlBelow,
  type WireRequest,
} from './streamed-model';
import { cleaned, faultOf, toldErrorIn } from './told-errors';

/** Google's Gemini API (`streamGenerateContent`), of AI Studio, and of Vertex with a key. */
export class Google extends StreamedModel {
  readonly provider = 'google';
  readonly defaultBaseUrl = 'https://generativelanguage.googleapis.com/v1beta';
  readonly defaultModel = 'gemini-2.5-flash';
  readonly defaultAuthHeader = 'x-goog-api-key';
  readonly variants = [];

  protected asked({ baseUrl }: Endpoint, request: ChatRequest): WireRequest {
    const { model, messages, wire } = request;
    const { system, turns } = dialogueOf(messages, wire.systemRole === 'user' || knowsNoSystem(model));
    const generationConfig = { ...configIn(wire.extra), ...configOf(request) };
    const body = {
      ...wire.extra,
      contents: turns.map(({ role, text, images }) => ({
        role: role === 'user' ? 'user' : 'model',
        parts: [...images.map(inline), { text }],
      })),
      ...defined({
        systemInstruction: system === undefined ? undefined : { parts: [{ text: system }] },
        generationConfig: Object.keys(generationConfig).length === 0 ? undefined : generationConfig,
      }),
    };
    // The key goes in a header: what stands in a URL is logged on the way.
    return { url: urlBelow(baseUrl, `/${pathOf(model)}:streamGenerateContent?alt=sse`), headers: {}, body };
  }

  protected reader(secrets: readonly string[]): AnswerReader {
    return new ContentReader(secrets);
  }
}

function inline({ mediaType: mimeType, base64: data }: ModelImage): object {
  return { inlineData: { mimeType, data } };
}

/** Gemma is asked like Gemini, and refuses system instructions. */
function knowsNoSystem(model: string): boolean {
  return /^(models\/)?gemma-/i.test(model);
}

/** A name with a slash says itself what it names: `tunedModels/…`. It may have been named by a user: it leads nowhere else. */
function pathOf(model: string): string {
  const names = (model.includes('/') ? model : `models/${model}`).split('/');
  if (names.some((name) => /^\.{0,2}$/.test(name)))
    throw new ChannelFault('does not know the model', { reason: 'model' });
  return names.map(encodeURIComponent).join('/');
}

function configIn({ generationConfig }: Fields): Fields {
  return isObject(generationConfig) ? generationConfig : {};
}

function configOf(request: ChatRequest): Fields {
  const { temperature, topP, maxTokens, stop, seed, reasoningEffort } = request;
  return defined({
    temperature,
    topP,
    maxOutputTokens: maxTokens,
    stopSequences: stop,
    // It has 32 bits.
    seed: seed === undefined ? undefined : seed | 0,
    thinkingConfig: thinkingOf(reasoningEffort, request.model),
    ...formatOf(request.responseFormat),
  });
}

/** `responseSchema` knows a part of JSON Schema, and refuses the `additionalProperties` that OpenAI demands. */
function formatOf(format: ResponseFormat | undefined): Fields {
  if (format === undefined || format.type === 'text') return {};
  const schema = format.type === 'json_schema' ? format.json_schema.schema : undefined;
  return { responseMimeType: 'application/json', responseJsonSchema: schema };
}

/** As Google itself takes OpenAI's efforts: Gemini 2.5 in tokens, later ones by names. Earlier ones do not think. */
const BUDGETS: Readonly<Record<ReasoningEffort, number>> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
};
/** Below that, the large one of 2.5 cannot be asked to think. */
const LEAST_OF_PRO = 128;

function thinkingOf(effort: ReasoningEffort | undefined, model: string): Fields | undefined {
  if (effort === undefined || /gemini-(1|2\.0)/i.test(model)) return undefined;
  const includeThoughts = effort !== 'none';
  if (/gemini-2/i.test(model)) {
    const least = /pro/i.test(model) ? LEAST_OF_PRO : 0;
    return { thinkingBudget: Math.max(least, BUDGETS[effort]), includeThoughts };
  }
  return { thinkingLevel: levelOf(effort, model), includeThoughts };
}

/** Those of 3 and later think always; the large ones know no `minimal`. */
function levelOf(effort: ReasoningEffort, model: string): string {
  if (effort === 'none' || effort === 'minimal') return /pro/i.test(model) ? 'low' : 'minimal';
  return effort === 'xhigh' ? 'high' : effort;
}

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  CONTINUATION: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  LANGUAGE: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  MALFORMED_FUNCTION_CALL: 'tool_calls',
  UNEXPECTED_TOOL_CALL: 'tool_calls',
  TOO_MANY_TOOL_CALLS: 'tool_calls',
};

/** What stands there where nothing is said. */
const UNSAID = /^$|_UNSPECIFIED$/;

const OF_ANSWERS = ['candidates', 'promptFeedback', 'usageMetadata', 'modelVersion', 'responseId'] as const;

function isChunk(fields: Fields): boolean {
  return OF_ANSWERS.some((name) => fields[name] !== undefined);
}

/** Reads the chunks of one answer, or all of them as one document: without `alt=sse` they are a list. */
class ContentReader implements AnswerReader {
  hasFinished = false;
  isOver = false;
  private finishReason: FinishReason = 'other';
  private hasText = false;
  private hasCalled = false;
  private usage: Fields = {};

  /** @param secrets see faultOf */
  constructor(private readonly secrets: readonly string[]) {}

  read({ event, data }: StreamEvent): readonly RawPart[] {
    if (data === '[DONE]') {
      this.hasFinished = this.isOver = true;
      return NO_PARTS;
    }
    if (event === 'error') throw faultOf('sent an error in its answer', toldErrorIn(data), this.secrets);
    const [first, ...more] = documentsOf(data, this.secrets, isChunk).map((chunk) => this.readChunk(chunk));
    return more.length === 0 ? (first ?? NO_PARTS) : [first ?? [], ...more].flat();
  }

  /** What it thinks costs what it says, and is not counted with it. */
  get finished(): Finished {
    const { usage } = this;
    const isTool = this.hasCalled && this.finishReason === 'stop';
    return {
      type: 'finished',
      finishReason: isTool ? 'tool_calls' : this.finishReason,
      promptTokens: sumOf(usage['promptTokenCount'], usage['toolUsePromptTokenCount']),
      cachedPromptTokens: sumOf(usage['cachedContentTokenCount']),
      completionTokens: sumOf(usage['candidatesTokenCount'], usage['thoughtsTokenCount']),
    };
  }

  private readChunk(chunk: Fields): readonly RawPart[] {
    // Each has all that was counted so far.
    if (isObject(chunk['usageMetadata'])) this.usage = chunk['usageMetadata'];
    const candidate = firstOf(chunk['candidates']);
    const parts = candidate === undefined ? NO_PARTS : this.partsOf(candidate['content']);
    if (parts.some(({ type }) => type === 'text')) this.hasText = true;
    this.noteFinish(candidate?.['finishReason']);
    this.noteBlock(chunk['promptFeedback']);
    return parts;
  }

  private partsOf(content: unknown): readonly RawPart[] {
    const parts: unknown = isObject(content) ? content['parts'] : undefined;
    if (!Array.isArray(parts)) return NO_PARTS;
    return parts.flatMap((part: unknown): readonly RawPart[] => {
      if (!isObject(part)) return NO_PARTS;
      if (part['functionCall'] !== undefined) this.hasCalled = true;
      const { text } = part;
      if (typeof text !== 'string' || text === '') return NO_PARTS;
      return [{ type: part['thought'] === true ? 'reasoning' : 'text', text }];
    });
  }

  private noteFinish(reason: unknown): void {
    if (typeof reason !== 'string' || UNSAID.test(reason)) return;
    this.hasFinished = true;
    this.finishReason = FINISH_REASONS[reason] ?? 'other';
  }

  private noteBlock(feedback: unknown): void {
    const reason = isObject(feedback) ? feedback['blockReason'] : undefined;
    if (!isObject(feedback) || typeof reason !== 'string' || UNSAID.test(reason)) return;
    if (!this.hasText) {
      const { blockReasonMessage: message } = feedback;
      const said = typeof message === 'string' ? cleaned(message, this.secrets) : undefined;
      throw new ChannelFault('refuses the content of the prompt', { reason: 'content', code: reason, said });
    }
    this.hasFinished = true;
    this.finishReason = 'content_filter';
  }
}

/** Undefined where none of them is a count. */
function sumOf(...counts: readonly unknown[]): number | undefined {
  const known = counts.filter(isCount);
  return known.length === 0 ? undefined : known.reduce((sum, count) => sum + count, 0);
}

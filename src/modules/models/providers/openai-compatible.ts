import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { streamOf } from './ai-sdk';
import { ChatModel, type ChatRequest, type Endpoint, type RawPart } from './chat-model';

/** What OpenAI's chat completions are, and what Ollama, vLLM, Groq, OpenRouter, DeepSeek, Mistral … have in common with it. */
export class OpenAiCompatible extends ChatModel {
  readonly provider = 'openai-compatible';
  readonly defaultBaseUrl = 'https://api.openai.com/v1';
  readonly defaultModel = 'gpt-4o-mini';

  stream({ baseUrl, apiKey, fetch }: Endpoint, request: ChatRequest): AsyncIterable<RawPart> {
    const provider = createOpenAICompatible({
      name: this.provider,
      baseURL: baseUrl,
      // Else it is counted here: see token-count.ts.
      includeUsage: true,
      fetch,
      ...(apiKey === undefined ? {} : { apiKey }),
    });
    return streamOf(provider.chatModel(request.model), request);
  }
}

import type { IncomingHttpHeaders } from 'node:http';
import type { ProviderScript } from './script';

type Json = Readonly<Record<string, unknown>>;

/** How one provider's protocol writes an answer; a fake of another protocol is another wire. */
export interface Wire {
  /** What is appended to the server's address to make a channel's base URL, e.g. `/v1`. */
  readonly basePath: string;
  /** What is wrong with a request, as a status and a body; undefined when the real provider would take it. */
  refuse(request: WireRequest): { readonly status: number; readonly body: Json } | undefined;
  /** Whether the request asks for a stream. */
  streams(request: WireRequest): boolean;
  /** The answer in one piece. */
  whole(request: WireRequest, text: string, script: ProviderScript): Json;
  /** Events before the first token. */
  begin(request: WireRequest): string;
  token(request: WireRequest, text: string): string;
  reasoning(request: WireRequest, text: string): string;
  toolCall(request: WireRequest, name: string): string;
  error(message: string): string;
  /** Events after the last token. */
  end(request: WireRequest, tokens: number, script: ProviderScript): string;
}

export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
}

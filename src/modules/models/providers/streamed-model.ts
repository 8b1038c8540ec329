import { OutboundError } from '../../../platform/outbound';
import { ChannelFault, ChatModel, type ChatRequest, type Endpoint, type Finished, type RawPart } from './chat-model';
import { eventsOf, type StreamEvent } from './events';
import { refuseOtherStatus, refusePages } from './refusals';

/** One request in a provider's protocol. */
export interface WireRequest {
  readonly url: string;
  /** Beside those of every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Reads the events of one answer; all of it is looked at before it is believed. */
export interface AnswerReader {
  /** That the answer has ended was said: all text has come. */
  readonly hasFinished: boolean;
  /** Nothing follows, not even an account of it. */
  readonly isOver: boolean;
  /** What is known of its end. */
  readonly finished: Finished;
  /** What an event adds to the answer, in its order; mostly one part or none. Throws a ChannelFault for one that tells of a fault. */
  read(event: StreamEvent): readonly RawPart[];
}

export const NO_PARTS: readonly RawPart[] = [];

const HEADERS = { 'content-type': 'application/json', accept: 'text/event-stream' };

/**
 * A protocol of one POST that is answered by events. What is its own is how it is asked, and how its events are read; what
 * a status, a page, a cut connection and an end come to is the same for all of them.
 */
export abstract class StreamedModel extends ChatModel {
  async *stream(endpoint: Endpoint, request: ChatRequest): AsyncGenerator<RawPart> {
    const secrets = secretsOf(endpoint);
    const reader = this.reader(secrets);
    try {
      const { url, headers, body } = this.asked(endpoint, request);
      const answer = await endpoint.post(url, {
        headers: { ...HEADERS, ...keyHeader(endpoint), ...headers },
        body: JSON.stringify(body),
        signal: request.signal,
      });
      await refuseOtherStatus(answer, secrets);
      refusePages(answer);
      for await (const event of eventsOf(answer.body)) {
        for (const part of reader.read(event)) yield part;
        if (reader.hasFinished) yield reader.finished;
        if (reader.isOver) return;
      }
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof ChannelFault) throw error;
      // What was said to be whole is whole, however the connection ends.
      if (reader.hasFinished) return;
      throw new ChannelFault(error instanceof OutboundError ? error.message : 'cut its answer');
    }
  }

  /** Throws a ChannelFault for what its protocol cannot ask. */
  protected abstract asked(endpoint: Endpoint, request: ChatRequest): WireRequest;

  /** @param secrets see faultOf */
  protected abstract reader(secrets: readonly string[]): AnswerReader;
}

/** A path below a base URL; the query of the base, e.g. Azure's `api-version`, stays, behind the one of the path. */
export function urlBelow(baseUrl: string, path: string): string {
  const at = baseUrl.indexOf('?');
  const [base, query] = at < 0 ? [baseUrl, ''] : [baseUrl.slice(0, at), baseUrl.slice(at + 1)];
  const url = `${base.replace(/\/+$/, '')}${path}`;
  return query === '' ? url : `${url}${path.includes('?') ? '&' : '?'}${query}`;
}

function keyHeader({ apiKey, authHeader }: Endpoint): Record<string, string> {
  if (apiKey === undefined) return {};
  return { [authHeader]: authHeader === 'authorization' ? `Bearer ${apiKey}` : apiKey };
}

/** What a provider might say back of what it was sent with. */
function secretsOf({ apiKey, baseUrl }: Endpoint): string[] {
  return [...(apiKey === undefined ? [] : [apiKey]), baseUrl];
}

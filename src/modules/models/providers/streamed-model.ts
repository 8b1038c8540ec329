import { StringDecoder } from 'node:string_decoder';
import { createParser } from 'eventsource-parser';
import { type Fields, isObject } from '../../../common/text';
import { OutboundError } from '../../../platform/outbound';
import { ChannelFault, ChatModel, type ChatRequest, type Endpoint, type Finished, type RawPart } from './chat-model';
import { faultOf, refuseOtherStatus, refusePages, toldError } from './told-errors';

/** An event, or an answer without events, is no longer than this; the answer of a model is bounded elsewhere. */
const MAX_EVENT_CHARACTERS = 8 * 1024 * 1024;
const BOM = 0xfeff;

/** One request in a provider's protocol. */
export interface WireRequest {
  readonly url: string;
  /** Beside those of every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface StreamEvent {
  /** Its name, where it has one. */
  readonly event: string | undefined;
  readonly data: string;
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

/**
 * The server-sent events in a stream of bytes, which may be cut anywhere. A body that is one JSON document is one event:
 * there are gateways that answer so whatever they are asked for. Lines may end with CR, LF or both; a byte order mark and
 * a missing end of the last event are borne with.
 */
export async function* eventsOf(body: AsyncIterable<Buffer>): AsyncGenerator<StreamEvent> {
  const decoder = new StringDecoder('utf8');
  let reader: Reader | undefined;
  let head = '';
  for await (const bytes of body) {
    let text = decoder.write(bytes);
    if (reader === undefined) {
      head += text;
      text = withoutBom(head).trimStart();
      if (text === '') continue;
      reader = text.startsWith('{') || text.startsWith('[') ? new DocumentReader() : new EventReader();
    }
    const read = reader.read(text);
    if (read.length > 0) yield* read;
  }
  if (reader !== undefined) yield* reader.end();
}

interface Reader {
  read(text: string): readonly StreamEvent[];
  /** What is left when the stream has ended. */
  end(): readonly StreamEvent[];
}

const NONE: readonly StreamEvent[] = [];

class EventReader implements Reader {
  private events: StreamEvent[] = [];
  private endsInCr = false;
  private readonly parser = createParser({
    onEvent: ({ event, data }) => this.events.push({ event, data: withoutBom(data) }),
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw new ChannelFault('sent an event that is too long');
    },
    maxBufferSize: MAX_EVENT_CHARACTERS,
  });

  read(text: string): readonly StreamEvent[] {
    // The parser holds a CR at the end back until it knows whether an LF follows. Whether or not, the line has ended.
    const piece = this.endsInCr && text.startsWith('\n') ? text.slice(1) : text;
    if (piece === '') return NONE;
    this.endsInCr = piece.endsWith('\r');
    this.parser.feed(this.endsInCr ? `${piece}\n` : piece);
    return this.taken();
  }

  end(): readonly StreamEvent[] {
    this.parser.feed('\n\n');
    return this.taken();
  }

  private taken(): readonly StreamEvent[] {
    if (this.events.length === 0) return NONE;
    const { events } = this;
    this.events = [];
    return events;
  }
}

class DocumentReader implements Reader {
  private text = '';
  private isRead = false;

  read(piece: string): readonly StreamEvent[] {
    if (this.isRead) return NONE;
    this.text += piece;
    if (this.text.length > MAX_EVENT_CHARACTERS) throw new ChannelFault('sent an answer that is too long');
    // It may be whole although the connection stays open.
    if (!/[}\]]\s*$/.test(piece) || !isJson(this.text)) return NONE;
    return this.end();
  }

  end(): readonly StreamEvent[] {
    if (this.isRead) return NONE;
    this.isRead = true;
    return [{ event: undefined, data: this.text }];
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function withoutBom(text: string): string {
  return text.charCodeAt(0) === BOM ? text.slice(1) : text;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Without those that are undefined. */
export function defined(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The first of the answers that a model may give at once, wherever it stands. */
export function firstOf(answers: unknown): Fields | undefined {
  if (!Array.isArray(answers)) return undefined;
  for (let i = 0; i < answers.length; i++) {
    const answer: unknown = answers[i];
    if (isObject(answer) && (answer['index'] ?? i) === 0) return answer;
  }
  return undefined;
}

/**
 * The document of an event. Throws where it is none, and where it tells of a fault.
 * @param secrets see faultOf
 * @param isAnswer see toldError
 */
export function documentOf(data: string, secrets: readonly string[], isAnswer: (fields: Fields) => boolean): Fields {
  const document = parsed(data);
  const told = toldError(document, data, isAnswer);
  if (told !== undefined) throw faultOf('sent an error in its answer', told, secrets);
  if (!isObject(document)) throw new ChannelFault(NOT_UNDERSTOOD);
  return document;
}

/** The same where an answer may be a list of documents. */
export function documentsOf(
  data: string,
  secrets: readonly string[],
  isAnswer: (fields: Fields) => boolean,
): readonly Fields[] {
  if (!data.trimStart().startsWith('[')) return [documentOf(data, secrets, isAnswer)];
  const list = parsed(data) as readonly unknown[];
  return list.map((document) => documentOf(JSON.stringify(document), secrets, isAnswer));
}

const NOT_UNDERSTOOD = 'sent what is not understood in its answer';

function parsed(data: string): unknown {
  try {
    return JSON.parse(data) as unknown;
  } catch {
    throw new ChannelFault(NOT_UNDERSTOOD);
  }
}

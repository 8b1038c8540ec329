import type { Api } from '../http/api';
import { checkAgainstContract } from '../http/contract';

/** One event of a stream. */
export interface SseEvent {
  readonly id: string | undefined;
  readonly data: Record<string, unknown>;
}

export interface SseOptions {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly lastEventId?: string | undefined;
}

/** A reader of server-sent events that can leave at any moment. An answer that is no stream is read as JSON. */
export class SseClient {
  /** Comments seen so far. */
  comments = 0;
  private buffer = '';

  private constructor(
    readonly status: number,
    readonly headers: Headers,
    /** The answer where it is no stream: an object, or text. */
    readonly json: unknown,
    private readonly reader: ReadableStreamDefaultReader<string> | undefined,
    private readonly leaving: AbortController,
  ) {}

  static async open(
    by: Api,
    method: 'GET' | 'POST',
    path: string,
    { body, headers, lastEventId }: SseOptions = {},
  ): Promise<SseClient> {
    const leaving = new AbortController();
    const response = await fetch(by.baseUrl + path, {
      method,
      headers: {
        ...by.headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: leaving.signal,
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (isStream && response.body !== null) {
      const text = response.body.pipeThrough(new TextDecoderStream());
      return new SseClient(response.status, response.headers, undefined, text.getReader(), leaving);
    }
    const text = await response.text();
    const json: unknown = text === '' ? '' : JSON.parse(text);
    checkAgainstContract({
      method,
      path,
      status: response.status,
      headers: response.headers,
      body: json,
      enveloped: false,
    });
    return new SseClient(response.status, response.headers, json, undefined, leaving);
  }

  /** The next event; undefined at the end. */
  async next(): Promise<SseEvent | undefined> {
    for (;;) {
      const end = this.buffer.indexOf('\n\n');
      if (end >= 0) {
        const block = this.buffer.slice(0, end);
        this.buffer = this.buffer.slice(end + 2);
        if (!block.startsWith(':')) return parsed(block);
        this.comments++;
        continue;
      }
      const { value, done } = (await this.reader?.read()) ?? { value: undefined, done: true };
      if (done) {
        if (this.buffer !== '') throw new Error(`the stream ended within an event: ${this.buffer}`);
        return undefined;
      }
      this.buffer += value;
    }
  }

  /** The next `n` events; fewer when it ends. */
  async take(n: number): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    while (events.length < n) {
      const event = await this.next();
      if (event === undefined) break;
      events.push(event);
    }
    return events;
  }

  /** Everything up to its end. */
  rest(): Promise<SseEvent[]> {
    return this.take(Infinity);
  }

  /** Leaves without a word. */
  cut(): void {
    this.leaving.abort();
  }
}

function parsed(block: string): SseEvent {
  const lines = block.split('\n');
  const data = lines.filter((line) => line.startsWith('data: '));
  const [only] = data;
  if (only === undefined || data.length > 1 || lines.length > 2) throw new Error(`not one data line: ${block}`);
  const id = lines.find((line) => line.startsWith('id: '))?.slice(4);
  return { id, data: JSON.parse(only.slice(6)) as Record<string, unknown> };
}

/** The text that events of either door carry. */
export function textOf(events: readonly SseEvent[]): string {
  return events
    .map(({ data }) => data['token'] ?? data['text'])
    .filter((text) => typeof text === 'string')
    .join('');
}

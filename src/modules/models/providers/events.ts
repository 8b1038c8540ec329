import { StringDecoder } from 'node:string_decoder';
import { createParser } from 'eventsource-parser';
import { ChannelFault } from './chat-model';

/** An event, or an answer without events, is no longer than this; the answer of a model is bounded elsewhere. */
const MAX_EVENT_CHARACTERS = 8 * 1024 * 1024;
const BOM = 0xfeff;

export interface StreamEvent {
  /** Its name, where it has one. */
  readonly event: string | undefined;
  readonly data: string;
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

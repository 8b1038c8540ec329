import type OpenAI from 'openai';
import type { TestApp, TestTenant } from '../app';
import type { Api } from '../http/api';
import { keyOf } from '../ws/socket-app';
import { type ServerFrame, WsClient } from '../ws/client';
import { messagesOf, rejoin, roomIdOf } from './http';
import { openAiAs } from './openai';
import { chatOptions } from './socket';
import { type UiChunk, uiPath } from './ui';

/** An answer of alice's, and who reads it. */
export interface DoorRun {
  readonly app: Pick<TestApp, 'url'>;
  readonly tenant: TestTenant;
  readonly alice: Api;
  readonly openAi: OpenAI;
  readonly chatId: string;
  /** `msg_…` */
  readonly messageId: string;
}

/** What a door tells of an answer, in the words of all of them. */
export type DoorEvent =
  /** Only what the reader has up to this index holds: what follows goes on there. */
  | { readonly kind: 'from'; readonly index: number }
  /** `index` of its last token; undefined: the door has no indices. */
  | { readonly kind: 'text'; readonly text: string; readonly index: number | undefined }
  /** `text`: all of it, where the door says it once more. */
  | { readonly kind: 'end'; readonly text: string | undefined };

/** One of the ways to read an answer. */
export interface Door {
  readonly name: string;
  /** A reader says what it has, and is given what follows; at the others it begins anew. */
  readonly hasPlaces: boolean;
  /** @param index of the last token that the reader has; −1: none. Leaving the generator closes the connection. */
  read(run: DoorRun, index: number): AsyncGenerator<DoorEvent>;
}

export function doorRun(app: Pick<TestApp, 'url'>, tenant: TestTenant, chatId: string, messageId: string): DoorRun {
  const openAi = openAiAs(app, tenant, 'alice');
  return { app, tenant, alice: tenant.as('alice'), openAi, chatId, messageId };
}

const FROM_THE_BEGINNING: DoorEvent = { kind: 'from', index: -1 };

/** The frames of a socket, which is closed when they are left. */
async function* framesOf(client: WsClient): AsyncGenerator<ServerFrame> {
  try {
    for (let n = 0; ; n++) {
      await client.frame(() => client.frames.length > n);
      const frame = client.frames[n];
      if (frame !== undefined) yield frame;
    }
  } finally {
    if (client.isOpen) await client.close();
  }
}

/** An AI chat is a room of its user's: without a place in it, so that a reader begins anew. */
const SOCKET: Door = {
  name: '/ws',
  hasPlaces: false,
  async *read({ app, tenant, chatId, messageId }) {
    const client = await WsClient.connect(app.url, { headers: keyOf(tenant) });
    for await (const frame of framesOf(client)) {
      if (frame['room_id'] !== roomIdOf(chatId) || frame['message_id'] !== messageId) continue;
      if (frame.type === 'message.stream.start') yield FROM_THE_BEGINNING;
      if (frame.type === 'message.stream.delta')
        yield { kind: 'text', text: String(frame['text']), index: Number(frame['index']) };
      if (frame.type !== 'message') continue;
      yield { kind: 'end', text: String(frame['content']) };
      return;
    }
  },
};

/** An event of a chat, which the socket and the stream of the AI chats API tell in the same words. */
function chatEventOf(type: string, fields: Readonly<Record<string, unknown>>): DoorEvent | undefined {
  switch (type) {
    case 'message_stream_started':
      return { kind: 'from', index: Number(fields['after_index']) };
    case 'message_stream_token':
      return { kind: 'text', text: String(fields['token']), index: Number(fields['index']) };
    case 'message_stream_ended':
      return { kind: 'end', text: String(fields['content']) };
    default:
      return undefined;
  }
}

/** Also without a token: an answer that is over is given to who names it. */
function placeOf({ messageId }: DoorRun, index: number): string {
  return `${messageId}:${index}`;
}

const CHAT_SOCKET: Door = {
  name: '/ws/chat',
  hasPlaces: true,
  async *read(run, index) {
    const options = chatOptions(run.tenant, run.chatId, 'alice', { last_event_id: placeOf(run, index) });
    const client = await WsClient.connect(run.app.url, options);
    for await (const frame of framesOf(client)) {
      const event = frame['message_id'] === run.messageId ? chatEventOf(frame.type, frame) : undefined;
      if (event !== undefined) yield event;
      if (event?.kind === 'end') return;
    }
  },
};

const STREAM: Door = {
  name: 'the stream of the AI chats API',
  hasPlaces: true,
  async *read(run, index) {
    const stream = await rejoin(run.alice, run.chatId, placeOf(run, index));
    try {
      for (let next = await stream.next(); next !== undefined; next = await stream.next()) {
        const event = chatEventOf(String(next.data['event_type']), next.data);
        if (event !== undefined) yield event;
      }
    } finally {
      stream.cut();
    }
  },
};

const UI_STREAM: Door = {
  name: 'the UI stream',
  hasPlaces: false,
  async *read({ app, alice, chatId }) {
    const leaving = new AbortController();
    const { signal } = leaving;
    const response = await fetch(`${app.url}${uiPath(chatId)}/stream`, { headers: alice.headers, signal });
    // Nothing is written any more: the list has the answer.
    if (response.status === 204) {
      yield { kind: 'end', text: (await messagesOf(alice, chatId)).at(-1)?.content };
      return;
    }
    try {
      for await (const { type, delta } of uiChunksOf(response)) {
        if (type === 'start') yield FROM_THE_BEGINNING;
        if (type === 'text-delta') yield { kind: 'text', text: String(delta), index: undefined };
        if (type === 'finish') yield { kind: 'end', text: undefined };
      }
    } finally {
      leaving.abort();
    }
  },
};

/** The chunks of a UI stream, as they come. */
export async function* uiChunksOf({ body }: Response): AsyncGenerator<UiChunk> {
  let text = '';
  for await (const piece of (body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
    const blocks = (text + piece).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks)
      if (block.startsWith('data: {')) yield JSON.parse(block.slice('data: '.length)) as UiChunk;
  }
}

/** The number of the event with the first token: see responses-format.ts. */
const FIRST_TOKEN = 4;

const RESPONSES: Door = {
  name: 'Responses',
  hasPlaces: true,
  async *read({ openAi, messageId }, index) {
    const place = index < 0 ? {} : { starting_after: FIRST_TOKEN + index };
    const id = messageId.replace('msg_', 'resp_');
    for await (const event of await openAi.responses.retrieve(id, { stream: true, ...place })) {
      if (event.type === 'error') throw new Error(event.message);
      if (event.type === 'response.created') yield FROM_THE_BEGINNING;
      if (event.type === 'response.output_text.delta')
        yield { kind: 'text', text: event.delta, index: event.sequence_number - FIRST_TOKEN };
      if (event.type === 'response.output_text.done') yield { kind: 'end', text: event.text };
    }
  },
};

export const FIVE_DOORS: readonly Door[] = [SOCKET, CHAT_SOCKET, STREAM, UI_STREAM, RESPONSES];

/**
 * What a reader has of an answer whose tokens are known. Each piece is held against them: the text up to an index is that of
 * the tokens up to it, wherever the reader has joined and however often it was cut.
 */
export class DoorReader {
  text = '';
  /** Of the last token that it has. */
  index = -1;
  /** What it has had at most. */
  furthest = -1;
  /** The indices up to which each of its pieces went, those of all connections. */
  readonly seen: number[] = [];
  cuts = 0;
  isOver = false;

  constructor(
    readonly door: Door,
    private readonly tokens: readonly string[],
    private readonly run: DoorRun,
    /** Its connection is cut after so many pieces that brought something new. */
    private readonly cutAfter = Infinity,
  ) {}

  /** As one that was here before. */
  having(index: number): this {
    this.index = this.furthest = index;
    this.text = this.tokens.slice(0, index + 1).join('');
    return this;
  }

  /** To the end, over as many connections as it takes. */
  async read(): Promise<this> {
    while (!this.isOver) {
      const before = this.furthest;
      await this.readOnce();
      if (this.isOver) break;
      if (this.furthest === before) throw new Error(`${this.door.name} ended at ${this.index} without its end`);
      this.cuts++;
    }
    return this;
  }

  private async readOnce(): Promise<void> {
    let fresh = 0;
    for await (const event of this.door.read(this.run, this.index)) {
      if (this.take(event)) fresh++;
      if (this.isOver || fresh >= this.cutAfter) return;
    }
  }

  /** Whether it brought something new. */
  private take(event: DoorEvent): boolean {
    if (event.kind === 'from') {
      this.keepUpTo(event.index);
      return false;
    }
    if (event.kind === 'end') {
      this.text = event.text ?? this.text;
      this.isOver = true;
      return false;
    }
    this.text += event.text;
    this.index = this.indexOf(this.text);
    if (event.index !== undefined) expect([this.door.name, event.index]).toEqual([this.door.name, this.index]);
    this.seen.push(this.index);
    const isNew = this.index > this.furthest;
    this.furthest = Math.max(this.furthest, this.index);
    return isNew;
  }

  private keepUpTo(index: number): void {
    if (index > this.index) throw new Error(`${this.door.name} goes on after ${index}, the reader has ${this.index}`);
    this.index = index;
    this.text = this.tokens.slice(0, index + 1).join('');
  }

  /** Which tokens a text consists of: throws where it is not the answer's first ones. */
  private indexOf(text: string): number {
    const index = this.tokens.findIndex((_, n) => this.tokens.slice(0, n + 1).join('') === text);
    if (index < 0) throw new Error(`${this.door.name} gave "${text}", which is no beginning of the answer`);
    return index;
  }
}

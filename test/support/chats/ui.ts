import { Chat } from '@ai-sdk/react';
import { DefaultChatTransport, type UIMessage } from 'ai';
import type { Api } from '../http/api';
import { bodyOf } from '../rooms';
import { chatPath } from './http';

/** One chunk of the UI message stream, or `[DONE]`. */
export type UiChunk = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Where a chat of the UI stream is, by its client's id. */
export function uiPath(chatId: string): string {
  return `/api/ui/chat/${chatId}`;
}

/** The messages of a chat as a page of `useChat` begins with them. */
export async function listed(by: Api, chatId: string, query = 'limit=100'): Promise<UIMessage[]> {
  const { messages } = bodyOf(
    await by.get<{ messages: UIMessage[] }>(`${chatPath(chatId)}/messages?format=ui&${query}`),
  );
  return messages;
}

/** The text of a message. */
export function textOfUi(message: UIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** A message with only the parts that a list has, too: what is undefined is not there. */
export function plain(messages: readonly UIMessage[]): unknown {
  return JSON.parse(JSON.stringify(messages.map(({ id, role, parts }) => ({ id, role, parts }))));
}

/** A body as the SDK's transport sends it. */
export function uiBody(id: string, text: string, more: object = {}): object {
  const message = { id: `m-${text}`.slice(0, 64), role: 'user', parts: [{ type: 'text', text }] };
  return { id, messages: [message], trigger: 'submit-message', ...more };
}

/** Reads a whole stream without the SDK. */
export async function chunksOf(response: Response): Promise<UiChunk[]> {
  const blocks = (await response.text()).split('\n\n').filter((block) => block.startsWith('data: '));
  if (blocks.pop() !== 'data: [DONE]') throw new Error('the stream did not end with [DONE]');
  return blocks.map((block) => JSON.parse(block.slice('data: '.length)) as UiChunk);
}

/** Sends a body to the UI stream without the SDK. */
export function postUi(
  by: Api,
  body: object | string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${by.baseUrl}/api/ui/chat`, {
    method: 'POST',
    headers: { ...by.headers, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
  });
}

/** What a browser says of a connection that broke; the SDK knows it by this. */
const NETWORK_ERROR = 'network error';

/**
 * A tab with `useChat`: the SDK's own `Chat` and transport, against the server over HTTP. Its connection can be cut after a
 * number of chunks, as a network would.
 */
export class UiTab {
  readonly chat: Chat<UIMessage>;
  /** Each answer's stream is cut after so many chunks. */
  cutAfter = Infinity;
  /** Statuses of the answers, in order. */
  readonly statuses: number[] = [];
  /** Chunks of the last answer. */
  chunks: UiChunk[] = [];
  readonly errors: Error[] = [];
  /** Called with each chunk, when it has arrived. */
  onChunk: (chunk: UiChunk) => void = () => undefined;

  /** @param lastOnly sends the last message only, as the README shows it */
  constructor(
    readonly by: Api,
    readonly id: string,
    messages: UIMessage[] = [],
    lastOnly = false,
  ) {
    const transport = new DefaultChatTransport<UIMessage>({
      api: `${by.baseUrl}/api/ui/chat`,
      headers: { ...by.headers },
      fetch: (url, init) => this.fetched(url, init),
      ...(lastOnly
        ? { prepareSendMessagesRequest: ({ body, ...rest }) => ({ body: { ...body, ...lastOf(rest) } }) }
        : {}),
    });
    this.chat = new Chat<UIMessage>({ id, messages, transport, onError: (error) => this.errors.push(error) });
  }

  /** The text of the last message. */
  get text(): string {
    return textOfUi(this.chat.messages.at(-1));
  }

  /** Ends the answer on the server; what the SDK calls stop only leaves it. */
  async stopAnswer(): Promise<UIMessage[]> {
    return bodyOf(await this.by.post<{ answers: UIMessage[] }>(`${uiPath(this.id)}/stop`)).answers;
  }

  private async fetched(...call: Parameters<typeof fetch>): Promise<Response> {
    const response = await fetch(...call);
    this.statuses.push(response.status);
    if (response.body === null || !response.ok) return response;
    this.chunks = [];
    return new Response(this.cut(response.body), { status: response.status, headers: response.headers });
  }

  /** The same stream, event by event; it breaks when the reader has taken what it may have. */
  private cut(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const most = this.cutAfter;
    const blocks = blocksOf(body);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { value: block } = this.chunks.length < most ? await blocks.next() : { value: undefined };
          if (block !== undefined) {
            controller.enqueue(new TextEncoder().encode(block));
            this.seen(block);
          } else if (this.chunks.length < most) controller.close();
          else {
            await blocks.return(undefined);
            controller.error(new TypeError(NETWORK_ERROR));
          }
        },
        cancel: async () => {
          await blocks.return(undefined);
        },
      },
      { highWaterMark: 0 },
    );
  }

  private seen(block: string): void {
    const data = block.trim().slice('data: '.length);
    if (!block.startsWith('data: ') || data === '[DONE]') return;
    const chunk = JSON.parse(data) as UiChunk;
    this.chunks.push(chunk);
    this.onChunk(chunk);
  }
}

function lastOf({
  id,
  messages,
  trigger,
  messageId,
}: {
  id: string;
  messages: UIMessage[];
  trigger: string;
  messageId: string | undefined;
}): object {
  return { id, messages: messages.slice(-1), trigger, messageId };
}

/** A stream's events as text. Leaving it closes the connection. */
async function* blocksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined, undefined> {
  let text = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield text.slice(0, end + 2);
      text = text.slice(end + 2);
    }
  }
  return undefined;
}

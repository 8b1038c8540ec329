import type { OutboundPost } from '../../../src/platform/outbound';
import {
  ChannelFault,
  type ChatModel,
  type ChatRequest,
  type RawPart,
} from '../../../src/modules/models/providers/chat-model';
import { endpointTo, WIRE } from './channels';
import type { WireRequest } from './provider-server';

const NEVER = new AbortController().signal;

export const REQUEST: ChatRequest = {
  messages: [{ role: 'user', content: 'hi' }],
  model: 'm1',
  wire: WIRE,
  signal: NEVER,
};

/** What a provider is sent, without a connection. */
export async function requestOf(
  model: ChatModel,
  request: Partial<ChatRequest> = {},
  baseUrl = model.defaultBaseUrl,
): Promise<WireRequest> {
  let seen: WireRequest | undefined;
  const post: OutboundPost = (url, { headers, body }) => {
    const { pathname, search } = new URL(url);
    const closed = JSON.parse(body) as WireRequest['body'];
    seen = { method: 'POST', url: pathname + search, headers, body: closed };
    return Promise.resolve({ status: 500, headers: {}, body: piecesOf() });
  };
  await read(model, post, { ...REQUEST, ...request }, baseUrl);
  if (seen === undefined) throw new Error('nobody was asked');
  return seen;
}

/** All that is read from an answer that comes in these pieces; and the fault that it ends with. */
export async function read(
  model: ChatModel,
  post: OutboundPost,
  request: ChatRequest = REQUEST,
  baseUrl = model.defaultBaseUrl,
): Promise<{ readonly parts: RawPart[]; readonly fault: ChannelFault | undefined }> {
  const parts: RawPart[] = [];
  try {
    const endpoint = endpointTo(baseUrl, post, 'sk-secret', model.defaultAuthHeader);
    for await (const part of model.stream(endpoint, request)) parts.push(part);
  } catch (error) {
    if (!(error instanceof ChannelFault)) throw error;
    return { parts, fault: error };
  }
  return { parts, fault: undefined };
}

/** A post that is answered by these bytes, piece by piece. */
export function answering(...pieces: readonly Buffer[]): OutboundPost {
  return () => Promise.resolve({ status: 200, headers: {}, body: piecesOf(...pieces) });
}

async function* piecesOf(...pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

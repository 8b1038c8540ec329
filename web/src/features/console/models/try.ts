import { createParser } from 'eventsource-parser';
import { useCallback, useEffect, useRef, useState } from 'react';
import { type Api, bodyOf, type components, useApi } from '../../../api/client';
import { doubtReach } from '../../../api/reach';

type Usage = components['schemas']['UsageDto'];

/** A question, and what has come of its answer. */
export interface Turn {
  readonly question: string;
  readonly answer: string;
  /** As the server names the end of an answer; `asked` and `writing` come before it. */
  readonly state: 'asked' | 'writing' | 'completed' | 'cancelled' | 'interrupted' | 'failed' | 'superseded';
  /** From the press to the first text, as seen here. */
  readonly firstMs: number | undefined;
  /** From the press to the end. */
  readonly totalMs: number | undefined;
  readonly usage: Usage | null;
  readonly finish: string | null;
  readonly fault: unknown;
}

/** Of the server's events, what is read here. */
type TryEvent =
  | { readonly event_type: 'message_stream_token'; readonly token: string }
  | {
      readonly event_type: 'message_stream_ended';
      readonly content: string;
      readonly status: Exclude<Turn['state'], 'asked' | 'writing'>;
      readonly usage: Usage | null;
      readonly finish_reason: string | null;
    }
  | { readonly event_type: 'error'; readonly error_message: string }
  | { readonly event_type: 'message_received' | 'message_stream_started' };

export interface Who {
  readonly userId: string;
  readonly preset: string;
}

export interface Trial {
  readonly turns: readonly Turn[];
  readonly isAnswering: boolean;
  readonly ask: (question: string) => void;
  readonly stop: () => void;
  /** Forgets what was said. */
  readonly clear: () => void;
}

const TITLE = 'Try box of the console';
const NEW: Omit<Turn, 'question'> = {
  ...{ answer: '', state: 'asked', firstMs: undefined, totalMs: undefined, usage: null, finish: null },
  fault: undefined,
};

export const isOpen = ({ state }: Turn): boolean => state === 'asked' || state === 'writing';

/** A chat for trying, made at the first question and deleted when it is left: of its user and with its preset. */
export function useTrial(who: Who): Trial {
  const api = useApi();
  const chat = useRef<Promise<string>>(undefined);
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const { userId, preset } = who;
  const clear = useCallback((): void => {
    chat.current?.then((id) => discard(api, id)).catch(() => undefined);
    chat.current = undefined;
    setTurns([]);
  }, [api]);
  // Another preset answers from the beginning: what one has said is not for the other to go on with.
  useEffect(() => clear, [clear, userId, preset]);
  const put = (part: Partial<Turn>): void =>
    setTurns((before) => before.map((turn, i) => (i === before.length - 1 ? { ...turn, ...part } : turn)));
  const ask = (question: string): void => {
    setTurns((before) => [...before, { ...NEW, question }]);
    const chatId = (chat.current ??= begin(api, who));
    const isCurrent = (): boolean => chat.current === chatId;
    answer(api, chatId, question, (part) => isCurrent() && put(part)).catch((fault: unknown) => {
      if (isCurrent()) put({ state: 'failed', fault });
      // The next question makes a chat where there is none yet.
      chatId.catch(() => isCurrent() && (chat.current = undefined));
    });
  };
  const stop = (): void => {
    const path = '/api/v1/chats/{chat_id}/stop';
    chat.current
      ?.then((chat_id) => api.POST(path, { params: { path: { chat_id } } }))
      .catch((fault: unknown) => put({ fault }));
  };
  return { turns, isAnswering: turns.some(isOpen), ask, stop, clear };
}

async function begin(api: Api, { userId, preset }: Who): Promise<string> {
  const body = { user_id: userId, title: TITLE, ...(preset !== '' && { preset }) };
  return (await bodyOf(api.POST('/api/v1/chats', { body }))).id;
}

async function discard(api: Api, chatId: string): Promise<void> {
  await api.DELETE('/api/v1/chats/{chat_id}', { params: { path: { chat_id: chatId } }, keepalive: true });
}

async function answer(
  api: Api,
  chat: Promise<string>,
  question: string,
  put: (part: Partial<Turn>) => void,
): Promise<void> {
  const pressed = performance.now();
  const since = (): number => performance.now() - pressed;
  const stream = await bodyOf(
    api.POST('/api/v1/chats/{chat_id}/messages', {
      params: { path: { chat_id: await chat } },
      body: { content: question, stream: true },
      parseAs: 'stream',
    }),
  );
  let text = '';
  let isOver = false;
  const take = (event: TryEvent): void => {
    if (event.event_type === 'message_stream_token') {
      if (text === '') put({ firstMs: since() });
      text += event.token;
      put({ answer: text, state: 'writing' });
    }
    if (event.event_type === 'error') {
      isOver = true;
      put({ state: 'failed', fault: event.error_message, totalMs: since() });
    }
    if (event.event_type === 'message_stream_ended') {
      isOver = true;
      const { content, status, usage, finish_reason: finish } = event;
      put({ answer: content, state: status, usage, finish, totalMs: since() });
    }
  };
  await readEvents(stream, take);
  if (!isOver) throw cutOff();
}

async function readEvents(stream: ReadableStream<Uint8Array> | null, take: (event: TryEvent) => void): Promise<void> {
  if (stream === null) return;
  const parser = createParser({ onEvent: ({ data }) => take(JSON.parse(data) as TryEvent) });
  const text = new TextDecoder();
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read())
      parser.feed(text.decode(next.value, { stream: true }));
  } catch {
    doubtReach();
  }
}

function cutOff(): Error {
  return new Error('The answer was cut off: the server went away while it was written. Ask again when it is back.');
}

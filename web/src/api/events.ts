/** Server-sent events by fetch: EventSource can send no headers. */
import { createParser } from 'eventsource-parser';
import { type ApiFault, faultOf } from './client';
import { doubtReach } from './reach';

export interface EventSubscription {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Where to begin: the id of the last event that is there. */
  readonly lastEventId?: string | undefined;
  readonly onEvent: (data: string, id: string | undefined) => void;
  /** Whether events come now; with the reason where they do not. */
  readonly onState: (isOpen: boolean, fault?: ApiFault) => void;
}

const FIRST_WAIT_MS = 1000;
const MOST_WAIT_MS = 15_000;

/** Keeps a stream open, from where it was, until it is closed. Returns what closes it. */
export function subscribe({ url, headers, lastEventId, onEvent, onState }: EventSubscription): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  let last = lastEventId;
  let wait = FIRST_WAIT_MS;
  const read = async (): Promise<void> => {
    const answer = await fetch(url, {
      headers: { ...headers, ...(last === undefined ? {} : { 'Last-Event-ID': last }) },
      signal,
    });
    if (!answer.ok || answer.body === null) {
      onState(false, await faultOf(answer));
      return;
    }
    onState(true);
    wait = FIRST_WAIT_MS;
    const parser = createParser({
      onEvent: ({ data, id }) => {
        last = id ?? last;
        onEvent(data, id);
      },
    });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) parser.feed(next.value);
    onState(false);
  };
  const keep = async (): Promise<void> => {
    while (!signal.aborted) {
      await read().catch(() => {
        if (signal.aborted) return;
        doubtReach();
        onState(false);
      });
      await rest(wait * (0.5 + Math.random()), signal);
      wait = Math.min(wait * 2, MOST_WAIT_MS);
    }
  };
  void keep();
  return () => controller.abort();
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

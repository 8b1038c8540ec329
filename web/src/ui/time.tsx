import { type ReactNode, useSyncExternalStore } from 'react';

const SECOND_MS = 1000;
const TICK_MS = 5 * SECOND_MS;
const JUST_NOW_MS = 10 * SECOND_MS;
/** What is further away is told by its date. */
const NEAR_MS = 7 * 86_400 * SECOND_MS;
/** Units, and how many of one make the next. */
const UNITS = [
  ['s', 60],
  ['min', 60],
  ['h', 24],
  ['d', Infinity],
] as const;

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const CLOCK = { hour: 'numeric', minute: '2-digit', second: '2-digit' } as const;
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const MOMENT_OF_YEAR = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric', ...CLOCK });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One clock for all that is shown: a list of hundreds of rows has no hundreds of timers. */
function onTick(tell: () => void): () => void {
  listeners.add(tell);
  timer ??= setInterval(() => listeners.forEach((each) => each()), TICK_MS);
  return () => {
    listeners.delete(tell);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const tick = (): number => Math.floor(Date.now() / TICK_MS);

function exactly(at: Date, now: number): string {
  const isThisYear = at.getFullYear() === new Date(now).getFullYear();
  return (isThisYear ? MOMENT_OF_YEAR : MOMENT).format(at);
}

/** "3 min ago", "in 2 h"; the date where it is more than a week away. */
function nearly(at: Date, now: number): string {
  const ms = at.getTime() - now;
  const far = Math.abs(ms);
  if (far < JUST_NOW_MS) return 'just now';
  if (far > NEAR_MS) return DATE.format(at);
  let count = far / SECOND_MS;
  let unit = '';
  for (const [name, most] of UNITS) {
    unit = name;
    if (count < most) break;
    count /= most;
  }
  const words = `${Math.floor(count)} ${unit}`;
  return ms < 0 ? `${words} ago` : `in ${words}`;
}

interface TimeProps {
  /** Of the server, ISO 8601. */
  readonly at: string | null | undefined;
  /** To the second, where rows are compared: a log. */
  readonly isExact?: boolean;
}

/** A time, as where the reader lives: how long ago, and to the second under the pointer. */
export function Time({ at, isExact = false }: TimeProps): ReactNode {
  const now = useSyncExternalStore(onTick, tick) * TICK_MS;
  if (at === null || at === undefined) return <span className="muted">–</span>;
  const date = new Date(at);
  return (
    <time dateTime={at} title={`${WHOLE.format(date)} · ${at}`}>
      {isExact ? exactly(date, now) : nearly(date, now)}
    </time>
  );
}

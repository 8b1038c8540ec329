import type { ReactNode } from 'react';
import { useUrlChoice } from '../../../ui';
import { dayWords, type Item, MEASURES } from './data';

/** What the chart may show, of the measures. */
const SHOWN = ['messages', 'completion_tokens', 'deliveries'] as const;
const WHOLE = 100;

/** One measure over the days, with its sum; the table below has the figures. */
export function DayChart({ days }: { readonly days: readonly Item[] }): ReactNode {
  const [name, setName] = useUrlChoice('chart', SHOWN);
  const measures = MEASURES.filter((measure) => SHOWN.some((shown) => shown === measure.name));
  const measure = measures.find((one) => one.name === name);
  if (measure === undefined) return null;
  const counts = days.map((item) => measure.value(item) ?? 0);
  const most = Math.max(1, ...counts);
  const sum = measure.format(counts.reduce((before, count) => before + count, 0));
  const [first, last] = [days[0]?.day, days.at(-1)?.day];
  return (
    <section className="card day-chart" aria-label="By day">
      <header>
        <p>
          <strong>{sum}</strong> <span className="muted">{measure.title.toLowerCase()} in these days</span>
        </p>
        <div className="segments" role="group" aria-label="What the chart shows">
          {measures.map((one) => (
            <button
              key={one.name}
              type="button"
              aria-pressed={one.name === name}
              onClick={() => setName(SHOWN.find((shown) => shown === one.name) ?? name)}
            >
              {one.title}
            </button>
          ))}
        </div>
      </header>
      <div
        className="day-bars"
        role="img"
        aria-label={`${measure.title} by day; the most are ${measure.format(most)}.`}
      >
        {days.map(({ day }, at) => (
          <span
            key={day}
            title={`${dayWords(day ?? '', true)}: ${measure.format(counts[at] ?? 0)}`}
            style={{ height: `${((counts[at] ?? 0) / most) * WHOLE}%` }}
          />
        ))}
      </div>
      <p className="day-ends muted small">
        <span>{dayWords(first ?? '')}</span>
        <span>{dayWords(last ?? '')}</span>
      </p>
    </section>
  );
}

/** Rows of the table of a comeback: what must be, what is, and whether that holds. */
import { median, medianRatio } from '../stats.mjs';

/** How sure a median is: of few values it is what they span. */
const interval = (values) => medianRatio(values);
const span = ({ median: middle, from, to }, digits) =>
  `${middle.toFixed(digits)} (${from.toFixed(digits)}–${to.toFixed(digits)})`;

/**
 * Missed is only what lies beyond its limit with the whole interval; where part of it does not, the run says nothing.
 * @param checks {values, must, stretch}[], one for each figure of the row
 */
function verdict(sense, checks) {
  const isWithin = (value, limit) => (sense === '≥' ? value >= limit : value <= limit);
  if (checks.some(({ values }) => values.length === 0)) return '–';
  const states = checks.map(({ values, must, stretch }) => {
    const { median: middle, from, to } = interval(values);
    if (stretch !== undefined && isWithin(middle, stretch)) return 3;
    if (isWithin(middle, must)) return 2;
    return isWithin(sense === '≥' ? to : from, must) ? 1 : 0;
  });
  return ['missed', 'inconclusive', 'must', 'stretch'][Math.min(...states)];
}

function finished({ name, unit, ours, reference = '–', ratio = '–', limits, holds, cpu }) {
  return {
    case: name,
    unit,
    ours,
    reference,
    'ratio (95 %)': ratio,
    must: limits?.must ?? '',
    stretch: limits?.stretch ?? '',
    holds: holds ?? '',
    'CPU µs per unit, ours node/pg : reference': cpu ?? '–',
  };
}

/** CPU µs per unit; `reference` may have no database, or be missing. */
export function cpuText(ours, reference) {
  const text = ({ node, postgres }) =>
    [node, postgres]
      .filter((micros) => micros !== undefined)
      .map((micros) => (micros < 20 ? micros.toFixed(2) : micros.toFixed(0)))
      .join(' / ');
  return [ours, reference].map((side) => (side ? text(side) : '–')).join(' : ');
}

/**
 * Ours against a reference, in pairs.
 * @param sense '≥' where more is better
 * @param limits [must, stretch] of the ratio, or none
 */
export function ratioRow({ name, unit, pairs, sense = '≥', limits, cpu, digits = 0 }) {
  const whole = pairs.filter(([, reference]) => reference > 0);
  const ratios = whole.map(([mine, reference]) => mine / reference);
  const [must, stretch] = limits ?? [];
  return finished({
    ...{ name, unit, cpu },
    ours: median(pairs.map(([mine]) => mine)).toFixed(digits),
    reference: whole.length > 0 ? median(whole.map(([, reference]) => reference)).toFixed(digits) : '–',
    ratio: ratios.length > 0 ? span(interval(ratios), 2) : '–',
    limits: limits && { must: `${sense} ${must}`, stretch: stretch === undefined ? '' : `${sense} ${stretch}` },
    holds: limits && verdict(sense, [{ values: ratios, must, stretch }]),
  });
}

/**
 * What may be at most so much, of one figure or of several that are written with a plus.
 * @param figures {values, must, stretch}[]
 */
export function mostRow({ name, unit, figures, cpu, digits = 1 }) {
  const text = (pick) => figures.map(pick).join(' + ');
  const hasLimits = figures[0].must !== undefined;
  return finished({
    ...{ name, unit, cpu },
    ours: text(({ values }) => median(values).toFixed(digits)),
    limits: hasLimits && { must: `≤ ${text(({ must }) => must)}`, stretch: `≤ ${text(({ stretch }) => stretch)}` },
    holds: hasLimits ? verdict('≤', figures) : undefined,
  });
}

/** What measured now replaces the rows of its name; the order is that of `names`, the beginnings of all rows. */
export function merged(old, rows, names) {
  const now = new Set(rows.map((row) => row.case));
  const place = (row) => names.findIndex((name) => row.case.startsWith(name));
  return [...old.filter((row) => !now.has(row.case)), ...rows].sort((a, b) => place(a) - place(b));
}

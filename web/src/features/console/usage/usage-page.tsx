import { type ReactNode, useEffect, useMemo } from 'react';
import { useSearchParams } from 'wouter';
import {
  Choice,
  type Column,
  Empty,
  FaultNote,
  Loading,
  Table,
  TextField,
  Time,
  useUrlChoice,
  useUrlState,
} from '../../../ui';
import '../work/work.css';
import {
  dayWords,
  type GroupBy,
  type Item,
  type Measure,
  MEASURES,
  nameOf,
  type Span,
  type Usage,
  useUsage,
} from './data';
import { DayChart } from './day-chart';
import { Budget, Meter, today, tokensOf, useUserBudget } from './budget';
import './usage.css';

const GROUPS = [
  ['day', 'Day'],
  ['user', 'User'],
  ['chat', 'Chat'],
  ['channel', 'Channel'],
  ['preset', 'Preset'],
] as const;
const WHOLE = 100;

/** What the tenant used, by day or by whom. */
export default function UsagePage(): ReactNode {
  const [groupBy, setGroupBy] = useUrlChoice<GroupBy>('by', ['day', 'user', 'chat', 'channel', 'preset']);
  const [from, setFrom] = useUrlState('since');
  const [to, setTo] = useUrlState('until');
  const span: Span = { ...(from !== '' && { from }), ...(to !== '' && { to }) };
  const { items, first, error, onMore, isFetching } = useUsage(groupBy, span);
  const showToday = useShowToday();
  const isToday = first?.from === today() && first.to === today();
  // Days are few, at most a year of them: all are read, so that the newest can stand first.
  const isByDay = first?.group_by === 'day';
  const isNothing = items?.every(isUnused) ?? true;
  useEffect(() => {
    if (isByDay && !isFetching) onMore?.();
  }, [isByDay, isFetching, onMore]);
  return (
    <>
      <div className="page-head">
        <h1>Usage</h1>
      </div>
      <Budget onUsers={showToday} />
      <form className="filters" role="search" aria-label="Filter" onSubmit={(event) => event.preventDefault()}>
        <Choice label="By" value={groupBy} options={GROUPS} onValue={setGroupBy} />
        <TextField label="First day (UTC)" type="date" value={from} onValue={setFrom} />
        <TextField label="Last day (UTC)" type="date" value={to} onValue={setTo} />
      </form>
      {error !== null && <FaultNote fault={error} />}
      {items === undefined && error === null && <Loading />}
      {first !== undefined && <Days {...first} />}
      {items !== undefined && isNothing && (
        <Empty title="Nothing was used in these days">
          <p>Usage is counted from the first message on. Choose earlier days to look further back.</p>
        </Empty>
      )}
      {isByDay && items !== undefined && !isNothing && <DayChart days={items} />}
      {items !== undefined && first !== undefined && !isNothing && (
        <Items
          items={isByDay ? items.toReversed() : items}
          onMore={isByDay ? undefined : onMore}
          groupBy={first.group_by}
          approximate={first.approximate}
          isToday={isToday}
          isFetching={isFetching}
        />
      )}
    </>
  );
}

/** Which days are shown, and how complete their figures are. */
function Days({ from, to, complete_to }: Usage): ReactNode {
  return (
    <p className="muted">
      {dayWords(from, true)} to {dayWords(to, true)}, UTC. <Completeness at={complete_to} />
    </p>
  );
}

function isUnused(item: Item): boolean {
  return MEASURES.every(({ value }) => (value(item) ?? 0) === 0);
}

/** Leads to the users of this day. */
function useShowToday(): () => void {
  const [, setSearch] = useSearchParams();
  return () =>
    setSearch((before) => {
      const after = new URLSearchParams(before);
      for (const [name, value] of [
        ['by', 'user'],
        ['since', today()],
        ['until', today()],
      ] as const)
        after.set(name, value);
      return after;
    });
}

function Completeness({ at }: { readonly at: string | null }): ReactNode {
  if (at === null) return 'Nothing is counted yet: it begins within a minute.';
  return (
    <>
      Complete up to <Time at={at} isExact />; what came later follows within a minute.
    </>
  );
}

interface ItemsProps {
  readonly items: readonly Item[];
  readonly groupBy: GroupBy;
  readonly approximate: readonly string[];
  /** They are of this day alone: its budget is theirs. */
  readonly isToday: boolean;
  readonly onMore: (() => void) | undefined;
  readonly isFetching: boolean;
}

function Items({ items, groupBy, approximate, isToday, onMore, isFetching }: ItemsProps): ReactNode {
  const columns = useMemo(
    () =>
      MEASURES.filter(({ value }) => items.some((item) => value(item) !== undefined)).map((measure) =>
        columnOf(measure, items, approximate.includes(measure.name)),
      ),
    [items, approximate],
  );
  const title = GROUPS.find(([group]) => group === groupBy)?.[1] ?? 'Of';
  const budget = useUserBudget();
  const isApproximate = columns.some((column) => column.title.startsWith('≈'));
  return (
    <>
      <Table
        label="Usage"
        rows={items}
        keyOf={nameOf}
        onMore={onMore}
        isFetching={isFetching}
        columns={[
          { title, cell: (item) => <Name item={item} /> },
          ...(isToday && groupBy === 'user' && budget !== null ? [budgetColumn(budget)] : []),
          ...columns,
        ]}
      />
      {isApproximate && (
        <p className="muted small">≈ approximate: a crash may have cost a minute of it. All other figures are exact.</p>
      )}
    </>
  );
}

function Name({ item }: { readonly item: Item }): ReactNode {
  const day = item.day;
  if (day === null || day === undefined) return <span className="usage-name">{nameOf(item)}</span>;
  return (
    <time className="usage-name" dateTime={day} title={dayWords(day, true)}>
      {dayWords(day)}
    </time>
  );
}

/** How much of what a user may use a day is spent. */
function budgetColumn(budget: number): Column<Item> {
  return {
    title: 'Of the day’s budget',
    cell: (item) => (
      <>
        {Math.floor((tokensOf(item) / Math.max(1, budget)) * WHOLE)} %
        <Meter used={tokensOf(item)} limit={budget} label={`Budget of ${nameOf(item)}`} />
      </>
    ),
  };
}

/** A figure with a bar beside it, so that the days or users with much stand out. */
function columnOf({ title, value, format }: Measure, items: readonly Item[], isApproximate: boolean): Column<Item> {
  const most = Math.max(1, ...items.map((item) => value(item) ?? 0));
  return {
    title: `${isApproximate ? '≈ ' : ''}${title}`,
    isFigure: true,
    cell: (item) => {
      const count = value(item);
      if (count === undefined) return '–';
      if (count === 0) return <span className="muted">0</span>;
      return (
        <>
          {format(count)}
          <span className="bar" aria-hidden="true">
            <span style={{ width: `${(count / most) * WHOLE}%` }} />
          </span>
        </>
      );
    },
  };
}

import fc from 'fast-check';
import type { Position } from '../../../realtime';
import { mergeLog } from './merge';
import type { LogRow } from './room-log.repository';
import { runs } from '../../../../test/support/timing';

/** A room as a list of changes; the index of each is its revision. */
type Op = { readonly do: 'message' } | { readonly do: 'event' } | { readonly do: 'edit'; readonly of: number };

interface Message {
  readonly seq: number;
  readonly born: number;
  rev: number;
}

const ops = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Op>({ do: 'message' }) },
    { weight: 2, arbitrary: fc.constant<Op>({ do: 'event' }) },
    { weight: 2, arbitrary: fc.nat(1000).map((of): Op => ({ do: 'edit', of })) },
  ),
  { maxLength: 40 },
);

/** The room after `rev` changes, and the position of a reader that has seen all of them. */
function play(all: readonly Op[], rev: number): { messages: Message[]; events: number[]; position: Position } {
  const messages: Message[] = [];
  const events: number[] = [];
  all.slice(0, rev).forEach((op, i) => {
    const edited = op.do === 'edit' ? messages[op.of % Math.max(messages.length, 1)] : undefined;
    if (op.do === 'message') messages.push({ seq: messages.length + 1, born: i + 1, rev: i + 1 });
    else if (edited === undefined) events.push(i + 1);
    else edited.rev = i + 1;
  });
  return { messages, events, position: { rev, seq: messages.length } };
}

/** What the statement returns. */
function rowsAfter(all: readonly Op[], { rev, seq }: Position, limit: number): LogRow[] {
  const { messages, events } = play(all, all.length);
  const row = (kind: LogRow['kind'], of: Message): LogRow => ({
    kind,
    rev: of.rev,
    seq: of.seq,
    type: null,
    payload: null,
  });
  const byRev = (a: { rev: number }, b: { rev: number }): number => a.rev - b.rev;
  const beyond = messages.filter((m) => m.seq > seq + limit && m.rev > rev).sort(byRev);
  return [
    ...messages.filter((m) => m.seq > seq && m.seq <= seq + limit).map((m) => row('new', m)),
    ...beyond.slice(0, 1).map((m) => row('beyond', m)),
    ...messages
      .filter((m) => m.rev > rev && m.seq <= seq)
      .sort(byRev)
      .slice(0, limit + 1)
      .map((m) => row('changed', m)),
    ...events
      .filter((at) => at > rev)
      .slice(0, limit + 1)
      .map((at): LogRow => ({ kind: 'event', rev: at, seq: null, type: 'e', payload: null })),
  ];
}

function readAll(all: readonly Op[], from: number, limit: number): { rows: LogRow[]; position: Position } {
  const rows: LogRow[] = [];
  let { position } = play(all, from);
  for (let more = true; more;) {
    const page = mergeLog(position, rowsAfter(all, position, limit), limit);
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    if (page.more) expect(page.rows.length).toBeGreaterThan(0);
    rows.push(...page.rows);
    ({ more, position } = page);
  }
  return { rows, position };
}

const reading = fc.tuple(ops, fc.nat(40), fc.integer({ min: 1, max: 7 })).map(([all, from, limit]) => ({
  all,
  from: Math.min(from, all.length),
  limit,
}));

describe('mergeLog', () => {
  it('ends at the room’s own position, with every change in it, page by page', () => {
    fc.assert(
      fc.property(reading, ({ all, from, limit }) => {
        const { rows, position } = readAll(all, from, limit);
        const end = play(all, all.length);
        expect(position).toEqual({ rev: all.length, seq: end.position.seq });
        const before = play(all, from).position;
        const kinds = (kind: string): number[] =>
          rows.filter((r) => r.kind === kind).map((r) => (kind === 'new' ? (r.seq ?? 0) : r.rev));
        expect(kinds('new')).toEqual(end.messages.filter((m) => m.seq > before.seq).map((m) => m.seq));
        expect(kinds('event')).toEqual(end.events.filter((rev) => rev > from));
        for (const m of end.messages.filter((m) => m.seq <= before.seq && m.rev > from))
          expect(kinds('changed')).toContain(m.rev);
      }),
      { numRuns: runs(1000) },
    );
  });

  it('keeps what was not edited in order of rev, and puts what was between its birth and the next such message', () => {
    fc.assert(
      fc.property(reading, ({ all, from, limit }) => {
        const { messages } = play(all, all.length);
        const born = new Map(messages.map((m) => [m.seq, m]));
        const { rows } = readAll(all, from, limit);
        let last = from;
        for (const row of rows) {
          const message = row.kind === 'new' ? born.get(row.seq ?? 0) : undefined;
          const isEdited = message !== undefined && message.rev !== message.born;
          // An edited message comes before whatever is later than its last edit, never before its own birth.
          if (isEdited) expect(last).toBeLessThan(message.rev);
          else if (row.kind !== 'changed' || row.rev > last) {
            expect(row.rev).toBeGreaterThan(last);
            last = row.rev;
          }
        }
      }),
      { numRuns: runs(1000) },
    );
  });

  it('does not go past a message that did not fit, whatever else lies behind it', () => {
    const all: Op[] = [...Array<Op>(3).fill({ do: 'message' }), { do: 'event' }, { do: 'edit', of: 1 }];
    expect(readAll(all, 0, 1).position).toEqual({ rev: 5, seq: 3 });
  });

  it.each([
    ['before the message after it', ['message', 'leave', 'edit', 'message'], ['leave', 1, 2]],
    ['at its edit, when that comes first', ['message', 'edit', 'leave', 'message'], [1, 'leave', 2]],
    ['last, when nothing comes after it', ['message', 'leave', 'edit'], ['leave', 1]],
  ])('puts an edited message %s', (_, changes, expected) => {
    const all = changes.map((change): Op =>
      change === 'message' ? { do: 'message' } : change === 'edit' ? { do: 'edit', of: 0 } : { do: 'event' },
    );
    const { rows } = readAll(all, 0, 10);
    expect(rows.map((row) => (row.kind === 'event' ? 'leave' : row.seq))).toEqual(expected);
  });
});

import { inRoomOrder, type Position } from '../../../realtime';

/** A row of the log after a position. */
export interface LogRow {
  /**
   * A message that came after the position, an older one that has changed since, a change that is no message, or the
   * lowest revision among the messages beyond this page.
   */
  readonly kind: 'new' | 'changed' | 'event' | 'beyond';
  readonly rev: number;
  readonly seq: number | null;
  readonly type: string | null;
  readonly payload: Record<string, unknown> | null;
}

export interface MergedPage {
  readonly rows: readonly LogRow[];
  readonly more: boolean;
  readonly position: Position;
}

/**
 * Puts rows into the room's order (`inRoomOrder`), as far as one page goes.
 *
 * `changed` and `event` rows come in order of rev, at most `limit + 1` of each; `new` ones in order of seq, at most
 * `limit`. The position of a page that is not the last lies before the first row that is missing; a message whose edit
 * lies beyond it comes once more, as changed.
 */
export function mergeLog(position: Position, rows: readonly LogRow[], limit: number): MergedPage {
  const of = (kind: LogRow['kind']): LogRow[] => rows.filter((row) => row.kind === kind);
  const beyond = of('beyond')[0]?.rev ?? Infinity;
  const [changed, events] = [of('changed'), of('event')];
  // Of a list that was cut, nothing is known after its last row.
  const cut = Math.min(...[changed, events].map((list) => (list.length > limit ? revOf(list[limit]) : Infinity)));
  const others = [...changed, ...events].sort((a, b) => a.rev - b.rev);
  const placed = inRoomOrder(of('new'), others, beyond);
  const count = Math.min(limit, placed.filter(({ place }) => place <= beyond && place < cut).length);
  const taken = placed.slice(0, count).map(({ change }) => change);
  const first = Math.min(placed[count]?.place ?? Infinity, beyond, cut);
  const seq = Math.max(position.seq, ...taken.map(throughSeq));
  const more = first !== Infinity;
  const last = Math.max(position.rev, ...taken.map((row) => row.rev));
  return { rows: taken, more, position: { rev: more ? Math.max(position.rev, first - 1) : last, seq } };
}

/** Up to which message a reader misses nothing after this row. */
function throughSeq({ kind, seq, type, payload }: LogRow): number {
  if (kind === 'new') return seq ?? 0;
  return type === 'room.trimmed' ? Number(payload?.['first_seq'] ?? 1) - 1 : 0;
}

function revOf(row: LogRow | undefined): number {
  return row?.rev ?? Infinity;
}

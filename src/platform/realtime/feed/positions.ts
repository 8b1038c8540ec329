import type { Position } from '../contract';
import type { ChangeHead } from './room-change';

/**
 * A position is two numbers: whoever is there has the messages up to `seq`, and what else changed up to `rev`. Between
 * two pages of the log a message may lie beyond it that is older than `rev`: one that was edited since stands where its
 * edit allows. So of two positions neither may be the further one, and only who is at the very same one lacks nothing.
 */
export function isSame(a: Position, b: Position): boolean {
  return a.rev === b.rev && a.seq === b.seq;
}

/** Whether who is at `a` lacks something that who is at `b` has. */
export function lacks(a: Position, b: Position): boolean {
  return a.rev < b.rev || a.seq < b.seq;
}

/** Where somebody is who has what both have. */
export function both(a: Position, b: Position): Position {
  return { rev: Math.max(a.rev, b.rev), seq: Math.max(a.seq, b.seq) };
}

/**
 * What of the changes up to a position is news for who is at an earlier one, in the order in which they get it: an edit
 * of a message that they have comes at its revision, not at the place that the message has for those who do not have it;
 * one that lies beyond comes once more when the log has got there.
 */
export function newsAt<T extends { readonly head: ChangeHead }>(
  at: Position,
  changes: readonly T[],
  upTo: Position,
): T[] {
  const isHad = ({ head: { seq } }: T): boolean => seq !== undefined && seq <= at.seq;
  const edits = changes.filter((change) => isHad(change) && change.head.rev > at.rev && change.head.rev <= upTo.rev);
  edits.sort((a, b) => a.head.rev - b.head.rev);
  const news: T[] = [];
  for (const change of changes) {
    const { rev, seq } = change.head;
    if (isHad(change) || (seq === undefined && rev <= at.rev)) continue;
    while (edits[0] !== undefined && edits[0].head.rev < rev) news.push(edits.shift() as T);
    news.push(change);
  }
  return [...news, ...edits];
}

import { canonicalJson } from '../../common/text';
import type { FieldRule } from './actions';

/** Fields by name, in one of the three forms that rules give them. */
type Shown = Readonly<Record<string, unknown>>;

export interface Changes {
  readonly before: Shown | null;
  readonly after: Shown | null;
}

/**
 * What is written of a change, by the rules of its fields. undefined: it changed nothing.
 * @param before undefined where there was nothing
 * @param after undefined where there is nothing now
 * @throws for a field without a rule: it is not to be written
 */
export function changesOf(
  rules: Readonly<Record<string, FieldRule>>,
  before: object | undefined,
  after: object | undefined,
): Changes | undefined {
  if (before === undefined && after === undefined) return { before: null, after: null };
  const [was, is] = [valuesOf(before), valuesOf(after)];
  const left: Record<string, unknown> = {};
  const right: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) throw new Error(`no rule says how ${name} is written to the audit log`);
    const [old = null, now = null] = [was[name], is[name]];
    if (canonicalJson(old) === canonicalJson(now)) continue;
    if (rule === 'shown') {
      if (before !== undefined) left[name] = old;
      if (after !== undefined) right[name] = now;
    } else right[name] = rule === 'changed' ? { changed: true } : secretOf(old, now);
  }
  const isChanged = Object.keys(left).length + Object.keys(right).length > 0;
  if (before !== undefined && after !== undefined && !isChanged) return undefined;
  return { before: before === undefined ? null : left, after: after === undefined ? null : right };
}

function secretOf(old: unknown, now: unknown): 'set' | 'changed' | 'cleared' {
  if (now === null) return 'cleared';
  return old === null ? 'set' : 'changed';
}

/** As JSON has them: a Date from the database and its text are the same value. */
function valuesOf(fields: object | undefined): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(fields ?? {})) as Record<string, unknown>;
}

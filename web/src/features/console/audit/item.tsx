import type { ReactNode } from 'react';
import { Button, CopyButton, Dialog, Time } from '../../../ui';
import type { Item } from './data';

const MOST_FIELDS = 3;

/** Who did it: never the key itself. */
export function Who({ actor }: Pick<Item, 'actor'>): ReactNode {
  switch (actor.kind) {
    case 'master':
      return 'master key';
    case 'user':
      return `user ${actor.user_id ?? ''}`;
    case 'key':
      return (
        <>
          key {actor.key_name ?? ''} <code className="muted">{actor.key_prefix ?? actor.key_id}…</code>
        </>
      );
  }
}

export function targetOf(target: Item['target']): string {
  if (target === null) return '–';
  return [target.kind, target.id ?? target.user_id].filter((part) => part !== null).join(':');
}

/** On one line of a table; the whole of it is in the row's window and under the pointer. */
export function Target({ of: target }: { readonly of: Item['target'] }): ReactNode {
  if (target === null) return '–';
  const id = target.id ?? target.user_id;
  return (
    <span className="target" title={targetOf(target)}>
      {target.kind}
      {id !== null && <code className="muted">{id}</code>}
    </span>
  );
}

const NUMBER = new Intl.NumberFormat();
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function words(value: unknown): string {
  if (value === undefined || value === null) return 'not set';
  if (typeof value === 'number') return NUMBER.format(value);
  if (typeof value === 'string') return ISO.test(value) ? MOMENT.format(new Date(value)) : value;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(words).join(', ');
  const text = JSON.stringify(value);
  // Of what is secret or was written by people it is told only that it changed, or that it is set.
  return /^\{"(changed|set)":true\}$/.exec(text)?.[1] ?? text;
}

/** Which fields were what, and are what now. */
export function ChangedFields({
  item,
  isShort = false,
}: {
  readonly item: Item;
  readonly isShort?: boolean;
}): ReactNode {
  const { before, after, details } = item;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const told = Object.entries(details ?? {});
  const shown = isShort ? names.slice(0, MOST_FIELDS) : names;
  if (names.length + told.length === 0) return <span className="muted">–</span>;
  return (
    <div className="wrapped">
      {shown.map((name) => (
        <div key={name}>
          <span className="muted">{name}:</span>{' '}
          {before !== null && (
            <>
              {words(before[name])} <span aria-label="became">→</span>{' '}
            </>
          )}
          {words(after?.[name])}
        </div>
      ))}
      {names.length > shown.length && <div className="muted small">and {names.length - shown.length} more</div>}
      {(!isShort || names.length === 0) &&
        told.map(([name, value]) => (
          <div key={name}>
            <span className="muted">{name}:</span> {words(value)}
          </div>
        ))}
    </div>
  );
}

/** One row of the log, with all that it says. */
export function Looked({ item, onClose }: { readonly item: Item; readonly onClose: () => void }): ReactNode {
  return (
    <Dialog title={item.action} onClose={onClose}>
      <dl className="facts">
        <dt>Row</dt>
        <dd>{item.n}</dd>
        <dt>When</dt>
        <dd>
          <Time at={item.at} isExact />
        </dd>
        <dt>Who</dt>
        <dd>
          <Who actor={item.actor} />
        </dd>
        <dt>From</dt>
        <dd>{item.address ?? '–'}</dd>
        <dt>Target</dt>
        <dd className="wrapped">{targetOf(item.target)}</dd>
        <dt>Request</dt>
        <dd className="row">
          <code>{item.request_id}</code> <CopyButton text={item.request_id} label="Copy id" />
        </dd>
        <dt>Change</dt>
        <dd>
          <ChangedFields item={item} />
        </dd>
      </dl>
      <div className="actions">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}

import { Fragment, type ReactNode } from 'react';
import { Link } from 'wouter';
import type { components } from '../../../api/client';
import { ApiFault } from '../../../api/client';
import { Badge, Button, Empty } from '../../../ui';
import { type Place, useHref, useUserHref } from './address';
import './records.css';

const NOT_FOUND = 404;
const NUMBER = new Intl.NumberFormat();

export type RoomType = components['schemas']['AdminRoomDto']['type'];

export const TYPES: Readonly<Record<RoomType, string>> = {
  dm: 'direct',
  group: 'group',
  channel: 'channel',
  ai: 'chat with a model',
};

export function isGone(fault: unknown): boolean {
  return fault instanceof ApiFault && fault.status === NOT_FOUND;
}

export function figure(number: number): string {
  return NUMBER.format(number);
}

/** @param what in the singular: an s makes it many */
export function counted(number: number, what: string): string {
  return `${figure(number)} ${what}${number === 1 ? '' : 's'}`;
}

const KB = 1024;
const UNITS = ['B', 'KB', 'MB', 'GB'];

export function bytes(number: number): string {
  const power = number < KB ? 0 : Math.min(Math.floor(Math.log(number) / Math.log(KB)), UNITS.length - 1);
  const digits = power === 0 ? 0 : 1;
  return `${(number / KB ** power).toFixed(digits)} ${UNITS[power] ?? ''}`;
}

interface PagerProps {
  readonly place: Place;
  /** Rows of this page. */
  readonly shown: number;
  readonly next: string | null;
  readonly label?: string;
}

/** The way through a list that is read by a cursor: how long it is nobody counts. */
export function CursorPager({ place, shown, next, label = 'Pages of the list' }: PagerProps): ReactNode {
  if (place.cursor === undefined && next === null) return null;
  return (
    <nav className="pager" aria-label={label}>
      <span className="muted" role="status">
        {counted(shown, 'row')} on this page
      </span>
      <span className="row">
        <Button className="small" disabled={place.cursor === undefined} onClick={() => place.go(undefined)}>
          First page
        </Button>
        <Button className="small" disabled={place.back === undefined} onClick={() => place.back?.()}>
          Previous
        </Button>
        <Button className="small" disabled={next === null} onClick={() => next !== null && place.go(next)}>
          Next
        </Button>
      </span>
    </nav>
  );
}

export function UserLink({ id }: { readonly id: string }): ReactNode {
  const hrefOf = useUserHref();
  return <Link href={hrefOf(id)}>{id}</Link>;
}

interface RoomLinkProps {
  readonly room: Pick<components['schemas']['AdminRoomDto'], 'room_id' | 'name' | 'type'>;
}

export function RoomLink({ room }: RoomLinkProps): ReactNode {
  const href = useHref();
  return <Link href={href(`/rooms/${room.room_id}`)}>{roomName(room)}</Link>;
}

/** A dm has no name, and a chat need not have one. */
export function roomName({ name, type }: RoomLinkProps['room']): string {
  return name ?? (type === 'dm' ? 'Direct messages' : 'Without a name');
}

export function OnlineBadge({ status }: { readonly status: 'online' | 'offline' }): ReactNode {
  return <Badge tone={status === 'online' ? 'good' : 'plain'}>{status}</Badge>;
}

export function HoldBadge({ isHeld }: { readonly isHeld: boolean }): ReactNode {
  return isHeld ? <Badge tone="warn">legal hold</Badge> : <span className="muted">–</span>;
}

/** What is known of one thing: names and values. */
export function Facts({ facts }: { readonly facts: readonly (readonly [string, ReactNode])[] }): ReactNode {
  return (
    <dl className="card fact-grid">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

interface TrailProps {
  /** Titles and addresses of the pages above this one. */
  readonly pages: readonly (readonly [string, string])[];
}

export function Trail({ pages }: TrailProps): ReactNode {
  return (
    <p className="small">
      {pages.map(([title, href], index) => (
        <Fragment key={href}>
          {index > 0 && <span className="muted"> / </span>}
          <Link href={href}>{title}</Link>
        </Fragment>
      ))}
    </p>
  );
}

interface GoneProps {
  readonly what: string;
  /** All of them. */
  readonly all: readonly [string, string];
}

/** Where an address names something that the tenant does not have. */
export function Gone({ what, all: [title, href] }: GoneProps): ReactNode {
  return (
    <Empty title={`The chosen tenant has no ${what} with this id`}>
      <p>
        It may be another tenant’s, or be gone. <Link href={href}>{title}</Link>
      </p>
    </Empty>
  );
}

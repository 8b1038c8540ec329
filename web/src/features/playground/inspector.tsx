import { type ReactNode, useState } from 'react';
import { Button, CopyButton } from '../../ui';
import { draftOf, type FrameDraft, FrameForm, NEW_DRAFT } from './frame-form';
import { FrameDetail, FrameList } from './frame-list';
import { type FrameFilter, type FrameLog, type FrameRecord, NO_FILTER } from './frame-log';
import type { Person } from './person';
import { useChanges } from './use-changes';

interface InspectorProps {
  readonly log: FrameLog;
  readonly people: readonly Person[];
  readonly isShown: boolean;
}

/** What passes on the sockets of all people, and a form to send on them. */
export function Inspector({ log, people, isShown }: InspectorProps): ReactNode {
  const [tab, setTab] = useState<'frames' | 'form'>('frames');
  const [draft, setDraft] = useState<FrameDraft>(NEW_DRAFT);
  return (
    <section className="inspector" aria-label="Frames of everybody" data-shown={isShown}>
      <div className="tabs" role="group" aria-label="What is shown">
        <button type="button" aria-pressed={tab === 'frames'} onClick={() => setTab('frames')}>
          Frames
        </button>
        <button type="button" aria-pressed={tab === 'form'} onClick={() => setTab('form')}>
          Send a frame
        </button>
      </div>
      {tab === 'frames' ? (
        <Frames
          log={log}
          people={people}
          onEdit={(frame) => {
            setDraft(draftOf(frame));
            setTab('form');
          }}
        />
      ) : (
        <FrameForm people={people} log={log} draft={draft} onDraft={setDraft} />
      )}
    </section>
  );
}

interface FramesProps {
  readonly log: FrameLog;
  readonly people: readonly Person[];
  readonly onEdit: (frame: FrameRecord) => void;
}

function Frames({ log, people, onEdit }: FramesProps): ReactNode {
  const [selected, setSelected] = useState<FrameRecord>();
  const names = people.map(({ userId }) => userId);
  return (
    <>
      <Filters log={log} names={names} />
      <FrameList log={log} people={names} selected={selected} onSelect={setSelected} />
      {selected !== undefined && (
        <FrameDetail frame={selected} onEdit={onEdit} onClose={() => setSelected(undefined)} />
      )}
    </>
  );
}

const DIRECTIONS: readonly (readonly [FrameFilter['direction'], string])[] = [
  ['', 'Both ways'],
  ['in', 'Received'],
  ['out', 'Sent'],
  ['state', 'Connections'],
];

function Filters({ log, names }: { readonly log: FrameLog; readonly names: readonly string[] }): ReactNode {
  const [filter, setFilter] = useState(NO_FILTER);
  const change = (part: Partial<FrameFilter>): void => {
    const next = { ...filter, ...part };
    setFilter(next);
    log.show(next);
  };
  return (
    <div className="filters">
      <input
        type="search"
        aria-label="Filter frames"
        placeholder="Filter: message -ack …"
        value={filter.words}
        onChange={(event) => change({ words: event.target.value })}
      />
      <select
        aria-label="Whose frames"
        value={filter.person}
        onChange={(event) => change({ person: event.target.value })}
      >
        <option value="">Everybody</option>
        {names.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <select
        aria-label="Direction"
        value={filter.direction}
        onChange={(event) => change({ direction: event.target.value as FrameFilter['direction'] })}
      >
        {DIRECTIONS.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <Controls log={log} />
    </div>
  );
}

/** At most so many are put into the clipboard. */
const MOST_COPIED = 2000;

function Controls({ log }: { readonly log: FrameLog }): ReactNode {
  useChanges(log.changes);
  const { visible, since, total, isHeld } = log;
  return (
    <div className="frame-controls">
      <Button className="small" aria-pressed={isHeld} onClick={() => log.hold(!isHeld)}>
        {isHeld ? 'Go on' : 'Pause'}
      </Button>
      <CopyFrames log={log} />
      <Button className="small" onClick={() => log.clear()}>
        Clear
      </Button>
      <span className="muted small frame-count">
        {visible.length} of {total}
        {since > 0 && `, ${since} since the pause`}
      </span>
    </div>
  );
}

function CopyFrames({ log }: { readonly log: FrameLog }): ReactNode {
  return <CopyButton label="Copy" text={() => lines(log.visible.slice(-MOST_COPIED))} />;
}

function lines(frames: readonly FrameRecord[]): string {
  return frames
    .map(({ at, person, endpoint, direction, type, text }) =>
      JSON.stringify({ at: new Date(at).toISOString(), person, endpoint, direction, type, text }),
    )
    .join('\n');
}

import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef } from 'react';
import { type Reach, useReach } from '../../api/reach';

const WORDS: Readonly<Record<Exclude<Reach, 'fine'>, string>> = {
  away: 'The server does not answer. What you see is what it said last; this page goes on by itself when it is back.',
  unwell:
    'The server answers, but cannot work now: its database is away, or it starts or stops. This page goes on by itself.',
};

/** Says at the top that the server is not there, as long as it is not. When it is back, everything is asked anew. */
export function ReachNote(): ReactNode {
  const reach = useReach();
  const queries = useQueryClient();
  const before = useRef(reach);
  useEffect(() => {
    if (reach === 'fine' && before.current !== 'fine') void queries.invalidateQueries();
    before.current = reach;
  }, [reach, queries]);
  return (
    <div className="reach" role="status">
      {reach !== 'fine' && (
        <p>
          <span className="dot" data-tone="bad" /> {WORDS[reach]}
        </p>
      )}
    </div>
  );
}

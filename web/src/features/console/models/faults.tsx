import type { ReactNode } from 'react';
import { Time } from '../../../ui';
import type { Fault } from './data';

/** What went wrong with a channel lately, and what to do about it. */
export function Faults({ faults }: { readonly faults: readonly Fault[] }): ReactNode {
  if (faults.length === 0) return <p className="muted">Nothing went wrong lately.</p>;
  return (
    <ul className="faults" aria-label="Latest faults">
      {faults.map((fault) => (
        <li key={`${fault.at} ${fault.model}`}>
          <span className="muted small">
            <Time at={new Date(fault.at).toISOString()} /> · {fault.model}
            {fault.status !== null && ` · HTTP ${fault.status}`}
          </span>
          <br />
          {fault.hint}
          {fault.providerMessage !== null && <div className="muted wrapped">“{fault.providerMessage}”</div>}
        </li>
      ))}
    </ul>
  );
}

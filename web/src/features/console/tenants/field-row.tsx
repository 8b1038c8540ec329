import { type ReactNode, useId } from 'react';
import { Badge } from '../../../ui';
import { type Draft, type FieldSpec, type InForce, wordsOf } from './fields';

export interface FieldRowProps {
  readonly spec: FieldSpec;
  readonly inForce: InForce;
  readonly draft: Draft;
  readonly isChanged: boolean;
  readonly fault: string | undefined;
  readonly onDraft: (draft: Draft) => void;
  /** Whoever is signed in may not change it. */
  readonly isFixed: boolean;
}

/** A value, where it comes from, its default, and the way to change it. */
export function FieldRow({ spec, inForce, draft, isChanged, fault, onDraft, isFixed }: FieldRowProps): ReactNode {
  const id = useId();
  const isOwn = inForce.source === 'tenant';
  return (
    <div className="value-row" data-changed={isChanged}>
      <div>
        <p className="value-label" id={id}>
          {spec.label}
        </p>
        <p className="muted small">{spec.hint}</p>
      </div>
      {isFixed ? (
        <p className="value">{wordsOf(spec, inForce.value)}</p>
      ) : (
        <div className="value">
          <Control {...{ spec, draft, onDraft, id, fault, standard: wordsOf(spec, inForce.default) }} />
          {fault !== undefined && (
            <p className="small value-fault" role="alert" id={`${id}-fault`}>
              {fault}
            </p>
          )}
        </div>
      )}
      <p className="source small">
        {isChanged ? <Badge tone="warn">not saved</Badge> : isOwn ? <Badge>own value</Badge> : <Badge>default</Badge>}
        {isOwn && <span className="muted">default {wordsOf(spec, inForce.default)}</span>}
      </p>
    </div>
  );
}

interface ControlProps {
  readonly spec: FieldSpec;
  readonly draft: Draft;
  readonly onDraft: (draft: Draft) => void;
  readonly id: string;
  readonly fault: string | undefined;
  readonly standard: string;
}

/** First whether it is the default, then what it is instead. */
function Control({ spec, draft, onDraft, id, fault, standard }: ControlProps): ReactNode {
  const { kind, options = [], none } = spec;
  const hasNone = none !== '' && (standard !== none || draft.mode === 'none');
  const choose = (picked: string): void => {
    if (picked === 'default' || picked === 'none' || picked === 'own') onDraft({ mode: picked, text: draft.text });
    else onDraft({ mode: 'own', text: picked.replace(/^=/, '') });
  };
  const described = { 'aria-invalid': fault !== undefined, 'aria-describedby': fault && `${id}-fault` };
  return (
    <>
      <select
        aria-labelledby={id}
        value={draft.mode === 'own' && kind === 'choice' ? `=${draft.text}` : draft.mode}
        onChange={(event) => choose(event.target.value)}
      >
        <option value="default">Default: {standard}</option>
        {hasNone && kind !== 'choice' && <option value="none">{none.charAt(0).toUpperCase() + none.slice(1)}</option>}
        {kind === 'choice' ? (
          options.map((option) => (
            <option key={option} value={`=${option}`}>
              {option}
            </option>
          ))
        ) : (
          <option value="own">{kind === 'lines' ? 'These only' : 'Own value'}</option>
        )}
      </select>
      {draft.mode === 'own' && kind === 'count' && (
        <input
          {...described}
          {...{ type: 'text', inputMode: 'numeric', autoComplete: 'off' }}
          aria-label={`${spec.label}: own value`}
          value={draft.text}
          onChange={(event) => onDraft({ mode: 'own', text: event.target.value })}
        />
      )}
      {draft.mode === 'own' && kind === 'lines' && (
        <textarea
          {...described}
          {...{ rows: 3, spellCheck: false }}
          aria-label={`${spec.label}: one a line`}
          value={draft.text}
          onChange={(event) => onDraft({ mode: 'own', text: event.target.value })}
        />
      )}
    </>
  );
}

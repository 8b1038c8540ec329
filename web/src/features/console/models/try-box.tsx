import { type KeyboardEvent, type ReactNode, type SubmitEvent, useEffect, useRef, useState } from 'react';
import { Badge, Button, Choice, FaultNote, TextArea, TextField, useUrlState } from '../../../ui';
import { duration } from '../live/format';
import type { Preset } from './data';
import { isOpen, type Trial, type Turn, useTrial } from './try';
import './try.css';

const NUMBER = new Intl.NumberFormat();
const USER = /^[\x21-\x2b\x2d-\x7e]{1,128}$/;
const MOST = 32_768;

const ENDS: Readonly<Record<Turn['state'], readonly [tone: 'plain' | 'good' | 'warn' | 'bad', words: string]>> = {
  asked: ['plain', 'waiting for the model'],
  writing: ['plain', 'writing'],
  completed: ['good', 'completed'],
  cancelled: ['warn', 'stopped'],
  interrupted: ['warn', 'broken off'],
  superseded: ['warn', 'superseded'],
  failed: ['bad', 'failed'],
};

/** Asks a preset something, and shows how its answer is written. */
export function TryBox({ presets }: { readonly presets: readonly Preset[] }): ReactNode {
  const [preset, setPreset] = useUrlState('try');
  const [userId, setUserId] = useState('console');
  const trial = useTrial({ userId, preset });
  const names = presets.map(({ name }) => name).filter((name) => name !== 'default');
  // It may stand on another page of the list.
  if (preset !== '' && !names.includes(preset)) names.unshift(preset);
  const isUser = USER.test(userId);
  return (
    <section id="try" className="card try stack" aria-label="Try a preset">
      <div className="page-head">
        <h2>Try it</h2>
        {trial.turns.length > 0 && (
          <Button className="small" onClick={trial.clear}>
            Begin anew
          </Button>
        )}
      </div>
      <div className="filters">
        <Choice
          label="Preset"
          value={preset}
          options={[['', 'default'], ...names.map((name) => [name, name] as const)]}
          onValue={setPreset}
        />
        <TextField
          label="As the user"
          value={userId}
          onValue={setUserId}
          {...{ autoComplete: 'off', spellCheck: false, maxLength: 128 }}
          fault={isUser ? undefined : 'One word of plain letters, without commas.'}
        />
      </div>
      <p className="muted small">
        A real question: it counts for the budgets of the tenant and of this user, who is made when unknown. The chat is
        deleted when you begin anew, choose another preset or leave this page.
      </p>
      {trial.turns.length > 0 && <Talk turns={trial.turns} />}
      <Ask trial={trial} isReady={isUser} />
    </section>
  );
}

function Talk({ turns }: { readonly turns: readonly Turn[] }): ReactNode {
  const end = useRef<HTMLDivElement>(null);
  const last = turns.at(-1);
  useEffect(() => {
    const box = end.current;
    box?.scrollTo({ top: box.scrollHeight });
  }, [turns.length, last?.answer]);
  return (
    <div className="try-talk" ref={end} role="log" aria-label="What was said" tabIndex={0}>
      {turns.map((turn, index) => (
        <Said key={index} turn={turn} />
      ))}
    </div>
  );
}

function Said({ turn }: { readonly turn: Turn }): ReactNode {
  const { question, answer, state, fault } = turn;
  const [tone, words] = ENDS[state];
  return (
    <article className="stack">
      <p className="try-question">{question}</p>
      {answer !== '' && (
        <p className="try-answer" aria-busy={isOpen(turn)}>
          {answer}
        </p>
      )}
      <p className="row small muted">
        <Badge tone={tone}>{words}</Badge>
        {figuresOf(turn).map((figure) => (
          <span key={figure}>{figure}</span>
        ))}
      </p>
      {fault !== undefined && <FaultNote fault={fault} />}
    </article>
  );
}

/** How long it took, and what was used. */
function figuresOf({ firstMs, totalMs, usage, finish, state }: Turn): readonly string[] {
  const count = (tokens: number): string => NUMBER.format(tokens);
  return [
    ...(firstMs === undefined ? [] : [`first text after ${duration(firstMs)}`]),
    ...(totalMs === undefined ? [] : [`${duration(totalMs)} in all`]),
    ...(usage === null
      ? []
      : [
          `${count(usage.prompt_tokens)} prompt + ${count(usage.completion_tokens)} answer tokens` +
            (usage.estimated === true ? ', estimated' : ''),
        ]),
    ...(finish === null || state !== 'completed' || finish === 'stop' ? [] : [`ended by: ${finish}`]),
  ];
}

function Ask({ trial, isReady }: { readonly trial: Trial; readonly isReady: boolean }): ReactNode {
  const [text, setText] = useState('');
  const canAsk = isReady && !trial.isAnswering && text.trim() !== '';
  const ask = (): void => {
    if (!canAsk) return;
    trial.ask(text);
    setText('');
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    ask();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    ask();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextArea
        label="Question"
        value={text}
        onValue={setText}
        {...{ rows: 2, maxLength: MOST, onKeyDown }}
        hint="Enter asks, Shift and Enter make a new line."
      />
      <div className="row">
        <Button type="submit" tone="main" disabled={!canAsk}>
          Ask
        </Button>
        {trial.isAnswering && <Button onClick={trial.stop}>Stop</Button>}
      </div>
    </form>
  );
}

import { type KeyboardEvent, type ReactNode, type RefObject, useEffect, useId, useRef, useState } from 'react';
import { useSession } from '../../api/session';
import { type Command, useCommands } from './commands';
import { useManyTenants } from './tenant';

/** Opens with Ctrl K, or ⌘ K, wherever the focus is. */
export function usePaletteKeys(toggle: () => void): void {
  useEffect(() => {
    const press = (event: globalThis.KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey)
        return;
      event.preventDefault();
      toggle();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [toggle]);
}

/** Opens a dialog while it is rendered. */
function useModal(): RefObject<HTMLDialogElement | null> {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return dialog;
}

/** Goes anywhere by a few letters: pages, tenants, what this browser does. */
export function Palette({ onClose }: { readonly onClose: () => void }): ReactNode {
  const dialog = useModal();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const { data, isFetching } = useManyTenants(true);
  const commands = useCommands(text, data);
  const id = useId();
  const current = commands[Math.min(at, commands.length - 1)];
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const type = (next: string): void => {
    setText(next);
    setAt(0);
  };
  const press = (event: KeyboardEvent): void => {
    const next = moved(event.key, Math.min(at, commands.length - 1), commands.length);
    if (event.key === 'Enter') run(current);
    else if (next === undefined) return;
    else setAt(next);
    event.preventDefault();
  };
  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label="Go to"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <Words text={text} listId={id} current={current && `${id}-${current.id}`} onText={type} onKeyDown={press} />
      <Found id={id} commands={commands} current={current} onRun={run} />
      <p className="muted small foot" role="status">
        {commands.length > 0 && '↑ ↓ to choose, Enter to go, Escape to close.'}
        {commands.length === 0 && (isFetching ? 'Looking …' : 'Nothing is called so.')}
        {data?.isCut === true && ' Names are looked for among the first 2,000 tenants.'}
      </p>
    </dialog>
  );
}

interface WordsProps {
  readonly text: string;
  readonly listId: string;
  /** The id of what Enter would run. */
  readonly current: string | undefined;
  readonly onText: (text: string) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/** Where the letters are typed; the focus stays here, and the arrows move through the list. */
function Words({ text, listId, current, onText, onKeyDown }: WordsProps): ReactNode {
  const { credential } = useSession();
  return (
    <input
      type="text"
      role="combobox"
      aria-label="Go to"
      aria-expanded
      aria-controls={listId}
      aria-activedescendant={current}
      aria-autocomplete="list"
      autoComplete="off"
      placeholder={credential.kind === 'master' ? 'A page, or a tenant by name or id' : 'A page'}
      value={text}
      onChange={(event) => onText(event.target.value)}
      onKeyDown={onKeyDown}
    />
  );
}

function moved(key: string, at: number, count: number): number | undefined {
  if (count === 0) return undefined;
  if (key === 'ArrowDown') return (at + 1) % count;
  if (key === 'ArrowUp') return (at - 1 + count) % count;
  return undefined;
}

interface FoundProps {
  readonly id: string;
  readonly commands: readonly Command[];
  readonly current: Command | undefined;
  readonly onRun: (command: Command) => void;
}

function Found({ id, commands, current, onRun }: FoundProps): ReactNode {
  const shown = useRef<HTMLDivElement>(null);
  useEffect(() => {
    shown.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [current?.id]);
  const groups = [...new Set(commands.map(({ group }) => group))];
  return (
    <div className="found" role="listbox" id={id} aria-label="What was found" ref={shown}>
      {groups.map((group) => (
        <div key={group} role="group" aria-labelledby={`${id}-${group}`}>
          <p id={`${id}-${group}`} role="presentation" className="muted small">
            {group}
          </p>
          {commands
            .filter((command) => command.group === group)
            .map((command) => (
              <div
                key={command.id}
                id={`${id}-${command.id}`}
                role="option"
                aria-selected={command === current}
                onClick={() => onRun(command)}
              >
                <span>{command.title}</span>
                {command.note !== undefined && <span className="muted small">{command.note}</span>}
              </div>
            ))}
        </div>
      ))}
    </div>
  );
}

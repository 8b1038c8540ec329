import { type ReactNode, type SubmitEvent, useEffect, useState } from 'react';
import { Button, Choice, FaultNote, Loading, type Theme, useTheme } from '../../ui';
import { kept, type Kept, keep } from './credentials';
import { Door } from './door';
import { Inspector } from './inspector';
import { PersonPanel } from './person-panel';
import { MOST_PEOPLE, PlaygroundStore } from './playground-store';
import { useChanges } from './use-changes';

/** Asks for a key until there is one that the server takes, then plays. */
export function Playground(): ReactNode {
  const [store, setStore] = useState<PlaygroundStore>();
  const [fault, setFault] = useState<unknown>();
  const [isBusy, setBusy] = useState(kept() !== undefined);
  const open = (given: Kept): void => {
    PlaygroundStore.open(given)
      .then(setStore)
      .catch((error: unknown) => {
        keep(undefined);
        setFault(error);
      })
      .finally(() => setBusy(false));
  };
  useEffect(() => {
    const stored = kept();
    if (stored !== undefined) open(stored);
  }, []);
  if (store !== undefined) {
    const leave = (): void => {
      store.close();
      setStore(undefined);
    };
    return <Stage store={store} onLeave={leave} />;
  }
  if (isBusy && kept() !== undefined) return <Loading what="Opening the sockets" />;
  return (
    <Door
      fault={fault}
      isBusy={isBusy}
      onOpen={(given) => {
        setBusy(true);
        setFault(undefined);
        open(given);
      }}
    />
  );
}

interface StageProps {
  readonly store: PlaygroundStore;
  readonly onLeave: () => void;
}

const FRAMES = 'frames';

/** The people side by side and, at the right, what passes on their sockets; on a phone one of them at a time. */
function Stage({ store, onLeave }: StageProps): ReactNode {
  useChanges(store.changes);
  const { people, frames } = store;
  const [shown, setShown] = useState('');
  const current =
    shown === FRAMES || people.some(({ userId }) => `@${userId}` === shown) ? shown : `@${people[0]?.userId}`;
  return (
    <div className="playground">
      <Top store={store} onLeave={onLeave} />
      <nav className="stage-tabs" aria-label="Shown on this narrow screen">
        {people.map(({ userId }) => (
          <button
            key={userId}
            type="button"
            aria-pressed={current === `@${userId}`}
            onClick={() => setShown(`@${userId}`)}
          >
            {userId}
          </button>
        ))}
        <button type="button" aria-pressed={current === FRAMES} onClick={() => setShown(FRAMES)}>
          Frames
        </button>
      </nav>
      <main className="people" data-count={people.length} data-shown={current !== FRAMES}>
        {people.map((person, index) => (
          <PersonPanel
            key={person.userId}
            person={person}
            index={index}
            isShown={current === `@${person.userId}`}
            onRemove={() => store.remove(person)}
          />
        ))}
        {people.length === 0 && <p className="nothing muted">Nobody is here. Add a person at the top.</p>}
      </main>
      <Inspector log={frames} people={people} isShown={current === FRAMES} />
    </div>
  );
}

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'As the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
];

function Top({ store, onLeave }: StageProps): ReactNode {
  const [theme, setTheme] = useTheme();
  return (
    <header className="top">
      <a className="brand" href="/">
        <img src="/favicon.svg" width="22" height="22" alt="" /> ChatAPI
      </a>
      <h1>Playground</h1>
      <span className="spring" />
      {store.people.length < MOST_PEOPLE && <AddPerson store={store} />}
      <a href="/docs/ws">Socket documents</a>
      <Choice label="Theme" value={theme} options={THEMES} onValue={setTheme} />
      <Button className="small" onClick={onLeave}>
        {store.mintsTokens ? 'Forget the key' : 'Forget the tokens'}
      </Button>
    </header>
  );
}

function AddPerson({ store }: { readonly store: PlaygroundStore }): ReactNode {
  const [given, setGiven] = useState('');
  const [fault, setFault] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const label = store.mintsTokens ? 'Add a person' : 'Add a person by token';
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    setBusy(true);
    setFault(undefined);
    store
      .add(given.trim())
      .then(() => setGiven(''), setFault)
      .finally(() => setBusy(false));
  };
  return (
    <form className="add-person" onSubmit={submit}>
      <input
        type={store.mintsTokens ? 'text' : 'password'}
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        value={given}
        onChange={(event) => setGiven(event.target.value)}
      />
      <Button type="submit" className="small" isBusy={isBusy} disabled={given.trim() === ''}>
        Add
      </Button>
      {fault !== undefined && <FaultNote fault={fault} />}
    </form>
  );
}

import { type ReactNode, type SubmitEvent, useState } from 'react';
import { Button, FaultNote, TextArea, TextField } from '../../ui';
import type { Kept } from './credentials';
import { MOST_PEOPLE } from './playground-store';

/** The only word that the address may say. */
const isDemo = location.hash === '#demo';
/** Written into the page by the server. */
const isProduction = document.documentElement.dataset['runtime'] === 'production';
const FIRST_PEOPLE = 'alice, bob';

interface DoorProps {
  readonly fault: unknown;
  readonly isBusy: boolean;
  readonly onOpen: (given: Kept) => void;
}

/** Asks for what is needed to play: a key that mints tokens, or in production the tokens themselves. */
export function Door({ fault, isBusy, onOpen }: DoorProps): ReactNode {
  const [usesTokens, setUsesTokens] = useState(isProduction);
  return (
    <main className="door">
      <div className="door-card">
        <header>
          <img src="/favicon.svg" width="32" height="32" alt="" />
          <div>
            <h1>Playground</h1>
            <p className="muted">
              People side by side, each with a socket of their own. Cut the network of one, write from the other,
              restore it: nothing is lost, and you see every frame.
            </p>
          </div>
        </header>
        {usesTokens ? <TokensForm isBusy={isBusy} onOpen={onOpen} /> : <KeyForm isBusy={isBusy} onOpen={onOpen} />}
        {fault !== undefined && <FaultNote fault={fault} />}
        {!isProduction && (
          <Button tone="quiet" className="small" onClick={() => setUsesTokens(!usesTokens)}>
            {usesTokens ? 'I have an API key' : 'I have user tokens, no key'}
          </Button>
        )}
      </div>
    </main>
  );
}

function names(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter((name) => name !== ''))];
}

type FormProps = Omit<DoorProps, 'fault'>;

function KeyForm({ isBusy, onOpen }: FormProps): ReactNode {
  const [key, setKey] = useState('');
  const [people, setPeople] = useState(FIRST_PEOPLE);
  const chosen = names(people);
  const tooMany = chosen.length > MOST_PEOPLE ? `At most ${MOST_PEOPLE} at once.` : undefined;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onOpen({ kind: 'key', key: key.trim(), people: chosen });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextField
        label="API key"
        type="password"
        value={key}
        onValue={setKey}
        autoFocus
        autoComplete="off"
        hint={
          isDemo
            ? 'Paste the key of the tenant demo, which the first start printed. Nothing else is needed: alice and bob are there, with a channel, and an assistant.'
            : 'Of any tenant; the first start printed one of the tenant demo. It only mints a token for each person, as your back end would, and is forgotten with this tab.'
        }
      />
      <TextField
        label="People"
        value={people}
        onValue={setPeople}
        autoComplete="off"
        hint="User ids, one to four. Who is new is made."
        fault={tooMany}
      />
      <Button
        type="submit"
        tone="main"
        isBusy={isBusy}
        disabled={key.trim() === '' || chosen.length === 0 || tooMany !== undefined}
      >
        {isBusy ? 'Minting tokens …' : 'Open the playground'}
      </Button>
    </form>
  );
}

function TokensForm({ isBusy, onOpen }: FormProps): ReactNode {
  const [text, setText] = useState('');
  const tokens = names(text);
  const tooMany = tokens.length > MOST_PEOPLE ? `At most ${MOST_PEOPLE} at once.` : undefined;
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    onOpen({ kind: 'tokens', tokens });
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TokensExplained />
      <TextArea
        label="User tokens"
        value={text}
        onValue={setText}
        autoComplete="off"
        spellCheck={false}
        className="mono"
        hint="One a line, one for each person. They are kept in this tab, and forgotten with it."
        fault={tooMany}
      />
      <Button type="submit" tone="main" isBusy={isBusy} disabled={tokens.length === 0 || tooMany !== undefined}>
        Open the playground
      </Button>
    </form>
  );
}

function TokensExplained(): ReactNode {
  return (
    <section className="stack" aria-labelledby="tokens">
      <h2 id="tokens">{isProduction ? 'This server runs in production: come with tokens' : 'Come with tokens'}</h2>
      <p>
        An API key may do everything in its tenant, so it stays with your back end and is typed into no browser. The
        back end mints a <strong>user token</strong> for whoever signed in, which lives an hour at most:
      </p>
      <pre tabIndex={0} aria-label="How a token is minted">{`curl -X POST ${location.origin}/tokens \\
  -H "X-API-Key: $KEY" -H 'Content-Type: application/json' \\
  -d '{"user_id":"alice","expires_in":3600}'`}</pre>
      <p>
        With the token the page gets a <strong>ticket</strong> for each connection (<code>POST /ws/token</code>), good
        once and for a minute: what stands in the socket’s address opens nothing afterwards.
      </p>
    </section>
  );
}

import { type ReactNode, type SubmitEvent, useEffect, useState } from 'react';
import { apiOf, bodyOf } from '../../api/client';
import { type Credential, CurrentSession, type Session, storeCredential, storedCredential } from '../../api/session';
import { Button, FaultNote, Loading, TextField } from '../../ui';

/** Keys of tenants begin so; whatever else is pasted can only be the operator's. */
const API_KEY = /^chatapi_/;

class WrongKey extends Error {}

/** Asks the server what a key is. Rejects where it is not good for the console. */
async function sessionOf(credential: Credential): Promise<Session> {
  const api = apiOf(credential);
  const { tenant_id: id, scopes } = await bodyOf(api.GET('/whoami'));
  if (id === null) return { credential, tenantId: undefined, name: 'Operator' };
  if (!scopes.includes('admin'))
    throw new WrongKey(
      'This key may chat, but not manage its tenant. Take one with the scope admin, or the master key.',
    );
  const tenant = await bodyOf(api.GET('/admin/tenants/{tenant_id}', { params: { path: { tenant_id: id } } }));
  return { credential, tenantId: id, name: tenant.name };
}

interface SignedInProps {
  readonly children: ReactNode;
}

/** Shows the sign-in until there is a key that the server takes, then what is below it. */
export function SignedIn({ children }: SignedInProps): ReactNode {
  const [session, setSession] = useState<Session>();
  const [fault, setFault] = useState<unknown>();
  const [isAsking, setAsking] = useState(storedCredential() !== undefined);

  const ask = (credential: Credential): void => {
    sessionOf(credential)
      .then((found) => {
        storeCredential(credential);
        setSession(found);
      })
      .catch((error: unknown) => {
        storeCredential(undefined);
        setFault(error);
      })
      .finally(() => setAsking(false));
  };
  const signIn = (credential: Credential): void => {
    setAsking(true);
    setFault(undefined);
    ask(credential);
  };
  useEffect(() => {
    const stored = storedCredential();
    if (stored !== undefined) ask(stored);
  }, []);

  if (session !== undefined) {
    const signOut = (why?: string): void => {
      storeCredential(undefined);
      setSession(undefined);
      setFault(why);
    };
    return <CurrentSession value={{ ...session, signOut }}>{children}</CurrentSession>;
  }
  if (isAsking) return <Loading what="Signing in" />;
  return <SignIn fault={fault} onKey={signIn} />;
}

interface SignInProps {
  readonly fault: unknown;
  readonly onKey: (credential: Credential) => void;
}

function SignIn({ fault, onKey }: SignInProps): ReactNode {
  const [key, setKey] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const pasted = key.trim();
    onKey({ kind: API_KEY.test(pasted) ? 'admin' : 'master', key: pasted });
  };
  return (
    <main className="sign-in">
      <form className="stack" onSubmit={submit}>
        <h1>ChatAPI console</h1>
        <TextField
          label="Key"
          type="password"
          value={key}
          onValue={setKey}
          autoFocus
          autoComplete="off"
          hint="The master key shows all tenants; a key with the scope admin shows its own. It is kept until this tab is closed."
        />
        {fault !== undefined && <FaultNote fault={fault} />}
        <Button type="submit" tone="main" disabled={key.trim() === ''}>
          Sign in
        </Button>
        <details>
          <summary>Where is the master key?</summary>
          <p>
            The first start printed it. It is what <code>MASTER_API_KEY</code> says, or in{' '}
            <code>DATA_DIR/secrets/master-key</code>.
          </p>
        </details>
      </form>
    </main>
  );
}

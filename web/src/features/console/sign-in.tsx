import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, type SubmitEvent, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { ApiFault, apiOf, bodyOf } from '../../api/client';
import { useReach } from '../../api/reach';
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

interface Asking {
  readonly session: Session | undefined;
  readonly fault: unknown;
  /** There is a key of which the server has not said yet what it is. */
  readonly isAsking: boolean;
  readonly signIn: (credential: Credential) => void;
  readonly signOut: (why?: string) => void;
}

/** Called with who signs in: what one key saw is not for another one, unless both see the same. */
function useHandOver(): (next: Session) => void {
  const queries = useQueryClient();
  const last = useRef<Session>(undefined);
  return useCallback(
    (next) => {
      const { current: before } = last;
      const isSame = before?.tenantId === next.tenantId && before?.credential.kind === next.credential.kind;
      if (before !== undefined && !isSame) queries.clear();
      else void queries.invalidateQueries();
      last.current = next;
    },
    [queries],
  );
}

/** What the server says of the key that this tab has, or that was pasted. */
function useAsking(): Asking {
  const queries = useQueryClient();
  const [session, setSession] = useState<Session>();
  const [fault, setFault] = useState<unknown>();
  const [asked, setAsked] = useState(storedCredential);
  const reach = useReach();
  const hand = useHandOver();
  useEffect(() => {
    if (asked === undefined) return undefined;
    let isCurrent = true;
    const found = (next: Session): void => {
      if (!isCurrent) return;
      hand(next);
      storeCredential(asked);
      setSession(next);
      setAsked(undefined);
    };
    const failed = (error: unknown): void => {
      if (!isCurrent) return;
      setFault(error);
      // A key that was good a minute ago outlives a server that is restarted.
      if (error instanceof ApiFault && error.isPassing && storedCredential() !== undefined) return;
      storeCredential(undefined);
      setAsked(undefined);
    };
    sessionOf(asked).then(found, failed);
    return () => {
      isCurrent = false;
    };
  }, [asked, reach, hand]);
  const signOut = useCallback(
    (why?: string): void => {
      storeCredential(undefined);
      // Who was signed out finds what they had typed, when they come back with another key for the same.
      if (why === undefined) queries.clear();
      setSession(undefined);
      setFault(why);
    },
    [queries],
  );
  const signIn = useCallback((credential: Credential): void => {
    setFault(undefined);
    setAsked(credential);
  }, []);
  return { session, fault, isAsking: asked !== undefined, signIn, signOut };
}

/** Shows the sign-in until there is a key that the server takes, then what is below it. */
export function SignedIn({ children }: SignedInProps): ReactNode {
  const { session, fault, isAsking, signIn, signOut } = useAsking();
  const current = useMemo(() => session && { ...session, signOut }, [session, signOut]);
  if (current !== undefined) return <CurrentSession value={current}>{children}</CurrentSession>;
  const isStored = isAsking && storedCredential() !== undefined;
  if (isStored && fault === undefined) return <Loading what="Signing in" />;
  if (!isStored) return <SignIn fault={fault} isBusy={isAsking} onKey={signIn} />;
  return (
    <main className="sign-in">
      <div className="card stack">
        <Brand />
        <FaultNote fault={fault} />
        <p className="muted">You stay signed in: this page goes on by itself when the server is back.</p>
      </div>
    </main>
  );
}

function Brand(): ReactNode {
  return (
    <h1 className="brand">
      <img src="/favicon.svg" width="28" height="28" alt="" /> ChatAPI console
    </h1>
  );
}

interface SignInProps {
  readonly fault: unknown;
  readonly isBusy: boolean;
  readonly onKey: (credential: Credential) => void;
}

function SignIn({ fault, isBusy, onKey }: SignInProps): ReactNode {
  const [key, setKey] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const pasted = key.trim();
    onKey({ kind: API_KEY.test(pasted) ? 'admin' : 'master', key: pasted });
  };
  return (
    <main className="sign-in">
      <form className="card stack" onSubmit={submit}>
        <Brand />
        {fault !== undefined && <FaultNote fault={fault} />}
        <TextField
          label="Key"
          type="password"
          value={key}
          onValue={setKey}
          autoFocus
          autoComplete="off"
          spellCheck={false}
          hint="The master key shows all tenants; a key with the scope admin shows its own. It is forgotten when this tab is closed."
        />
        <Button type="submit" tone="main" isBusy={isBusy} disabled={key.trim() === ''}>
          {isBusy ? 'Asking the server …' : 'Sign in'}
        </Button>
        <details>
          <summary>Where is the master key?</summary>
          <p>
            The first start printed it. It is what <code>MASTER_API_KEY</code> says, else it is in the file{' '}
            <code>secrets/master-key</code> of the server’s <code>DATA_DIR</code>.
          </p>
        </details>
      </form>
    </main>
  );
}

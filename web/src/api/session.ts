/** Who uses the page. A key is kept in this tab alone, and nowhere in an address. */
import { createContext, use } from 'react';

/** `master`: the operator's key, all tenants. `admin`: a key of one tenant with the scope `admin`. */
export interface Credential {
  readonly kind: 'master' | 'admin';
  readonly key: string;
}

export interface Session {
  readonly credential: Credential;
  /** The tenant of an admin key; with the master key there is none. */
  readonly tenantId: string | undefined;
  /** What the credential is called, for a person: never the key. */
  readonly name: string;
}

const STORE = 'chatapi.session';

export function storedCredential(): Credential | undefined {
  const text = sessionStorage.getItem(STORE);
  return text === null ? undefined : (JSON.parse(text) as Credential);
}

export function storeCredential(credential: Credential | undefined): void {
  if (credential === undefined) sessionStorage.removeItem(STORE);
  else sessionStorage.setItem(STORE, JSON.stringify(credential));
}

/** The headers that prove it. */
export function headersOf({ kind, key }: Credential): Record<string, string> {
  return kind === 'master' ? { 'X-Master-Key': key } : { 'X-API-Key': key };
}

export interface SessionContext extends Session {
  /** Forgets the key of this tab. */
  readonly signOut: (why?: string) => void;
}

export const CurrentSession = createContext<SessionContext | undefined>(undefined);

/** Of whoever is signed in; only below the sign-in. */
export function useSession(): SessionContext {
  const session = use(CurrentSession);
  if (session === undefined) throw new Error('nobody is signed in');
  return session;
}

/**
 * Who the people of the playground are. An API key is used for one thing, as a back end uses it: to mint user tokens by
 * `POST /tokens`. Whatever a person does is done with their own token, and sockets are opened with tickets of it.
 */
import { ApiFault, apiOf, bodyOf, faultOf } from '../../api/client';

export interface TokenSource {
  readonly userId: string;
  /** A user token that lives a while longer. @param isRenewal the one before was refused */
  userToken(isRenewal: boolean): Promise<string>;
}

/** What the tab keeps, so that a reload goes on: a key and who was there, or their tokens. */
export type Kept =
  | { readonly kind: 'key'; readonly key: string; readonly people: readonly string[] }
  | { readonly kind: 'tokens'; readonly tokens: readonly string[] };

const STORE = 'chatapi.playground';
const TOKEN_SECONDS = 3600;
/** A token is renewed so long before its end. */
const SPARE_MS = 60_000;

export function kept(): Kept | undefined {
  const text = sessionStorage.getItem(STORE);
  return text === null ? undefined : (JSON.parse(text) as Kept);
}

export function keep(value: Kept | undefined): void {
  if (value === undefined) sessionStorage.removeItem(STORE);
  else sessionStorage.setItem(STORE, JSON.stringify(value));
}

/** Mints tokens for a user with a key. */
export class MintedTokens implements TokenSource {
  private token: string | undefined;
  private endsAt = 0;

  constructor(
    private readonly key: string,
    readonly userId: string,
  ) {}

  async userToken(isRenewal: boolean): Promise<string> {
    if (!isRenewal && this.token !== undefined && Date.now() < this.endsAt - SPARE_MS) return this.token;
    const api = apiOf({ kind: 'admin', key: this.key });
    const body = { user_id: this.userId, expires_in: TOKEN_SECONDS };
    const { token, expires_in: seconds } = await bodyOf(api.POST('/tokens', { body }));
    this.token = token;
    this.endsAt = Date.now() + seconds * 1000;
    return token;
  }
}

/** A token that somebody else minted: it cannot be renewed here. */
export class GivenToken implements TokenSource {
  constructor(
    readonly userId: string,
    private readonly token: string,
  ) {}

  userToken(isRenewal: boolean): Promise<string> {
    if (!isRenewal) return Promise.resolve(this.token);
    const words = 'The token has ended or is refused. Have your back end mint a new one, and add the person again.';
    return Promise.reject(new ApiFault(words, 401, 'AUTHENTICATION_ERROR', undefined, undefined, {}));
  }
}

/** Asks the server whose token it is. Rejects where it is none of a user. */
export async function givenToken(token: string): Promise<GivenToken> {
  const answer = await fetch('/whoami', { headers: { Authorization: `Bearer ${token}`, 'X-Response-Format': 'bare' } });
  if (!answer.ok) throw await faultOf(answer);
  const { user_id: userId } = (await answer.json()) as { readonly user_id: string | null };
  if (userId === null) throw new Error('This token is of no user. POST /tokens mints one for a user_id.');
  return new GivenToken(userId, token);
}

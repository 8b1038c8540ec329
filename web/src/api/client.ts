/** Calls of the REST API as docs/openapi.json has them. */
import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './api-types';
import { doubtReach } from './reach';
import { type Credential, headersOf, type SessionContext, useSession } from './session';

export type { components } from './api-types';

const UNWELL = 503;

/** An error of the server, or that it was not reached. */
export class ApiFault extends Error {
  constructor(
    message: string,
    /** 0: there was no answer. */
    readonly status: number,
    readonly code: string,
    readonly requestId: string | undefined,
    /** Of which field of what was sent. */
    readonly field: string | undefined,
    readonly details: Readonly<Record<string, unknown>>,
  ) {
    super(message);
    this.name = 'ApiFault';
  }

  /** There was no answer, or the server says that it cannot work now. */
  get isAway(): boolean {
    return this.status === 0 || this.status === UNWELL;
  }

  /** Asking again may do. */
  get isPassing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const UNKNOWN_KEY = 401;
const REFUSED = 403;

interface ErrorBody {
  readonly error?: {
    readonly code?: string;
    readonly message?: string;
    readonly request_id?: string;
    readonly field?: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

/** What an answer that is no success says. */
export async function faultOf(response: Response): Promise<ApiFault> {
  const body = (await response.json().catch(() => ({}))) as ErrorBody;
  const { code = 'UNKNOWN', message = `The server answered ${response.status}`, details = {} } = body.error ?? {};
  const requestId = body.error?.request_id ?? response.headers.get('x-request-id') ?? undefined;
  return new ApiFault(message, response.status, code, requestId, body.error?.field, details);
}

function unreached(): ApiFault {
  doubtReach();
  return new ApiFault('The server does not answer', 0, 'UNREACHABLE', undefined, undefined, {});
}

export type Api = Client<paths>;

/** @param fault is told of every error, before the call rejects with it */
export function apiOf(credential: Credential, fault: (fault: ApiFault) => void = () => undefined): Api {
  const api = createClient<paths>({
    baseUrl: location.origin,
    headers: { ...headersOf(credential), 'X-Response-Format': 'bare' },
  });
  api.use({
    async onResponse({ response }) {
      if (response.ok) return;
      const error = await faultOf(response.clone());
      if (error.status === UNWELL) doubtReach();
      fault(error);
      throw error;
    },
    onError: () => unreached(),
  });
  return api;
}

/**
 * Ends the session, with one sentence, where a call's fault says that its credential is no longer good: the key was
 * revoked or has expired, or its tenant was suspended. One thing that is refused ends nothing.
 */
export async function checkSession({ credential, signOut }: SessionContext, fault: ApiFault): Promise<void> {
  if (fault.status === UNKNOWN_KEY)
    signOut(
      credential.kind === 'master'
        ? 'The server takes another master key now: it was started anew with one. Sign in with that one.'
        : 'This key is no longer good: it was revoked, or has expired. Sign in with another one.',
    );
  if (fault.status !== REFUSED || credential.kind === 'master') return;
  const isRefused = await apiOf(credential)
    .GET('/whoami')
    .then(
      () => false,
      (error: unknown) => error instanceof ApiFault && error.status === REFUSED,
    );
  if (isRefused)
    signOut('Your tenant was suspended: all its keys are refused until whoever runs the server resumes it.');
}

const clients = new WeakMap<Credential, Api>();

/** The API with the credential of whoever is signed in. Its calls reject with an ApiFault. */
export function useApi(): Api {
  const session = useSession();
  const { credential } = session;
  let api = clients.get(credential);
  if (api === undefined) {
    api = apiOf(credential, (fault) => void checkSession(session, fault));
    clients.set(credential, api);
  }
  return api;
}

/** The body of a call that succeeded. */
export async function bodyOf<T>(call: Promise<{ data?: T; response: Response }>): Promise<T> {
  const { data } = await call;
  return data as T;
}

import { lookup, Resolver } from 'node:dns/promises';

/** Finds the addresses of a name. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Per server of the system and try. */
const TIMEOUT_MS = 3000;
const TRIES = 2;

/**
 * Asks the name servers, and not the system's own look-up: that would hold one of four threads for as long as a hostile
 * name server likes, and what only the hosts file knows is private anyway.
 */
export const resolvePublic: Resolve = async (host, signal) => {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    const [first] = answers;
    if (found.length === 0 && first.status === 'rejected') throw first.reason as Error;
    return found;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
};

/** Where private targets are allowed: names of this host and its network count. */
export const resolveAny: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

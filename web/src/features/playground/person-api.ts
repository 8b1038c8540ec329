/** The REST API as one person: with their token, over their network. */
import createClient from 'openapi-fetch';
import type { paths } from '../../api/api-types';
import { ApiFault, type Api, faultOf } from '../../api/client';
import type { Network } from '../../socket';
import type { TokenSource } from './credentials';

export function personApi(network: Network, tokens: TokenSource): Api {
  const api = createClient<paths>({
    baseUrl: location.origin,
    fetch: network.fetch,
    headers: { 'X-Response-Format': 'bare' },
  });
  api.use({
    async onRequest({ request }) {
      request.headers.set('Authorization', `Bearer ${await tokens.userToken(false)}`);
      return request;
    },
    async onResponse({ response }) {
      if (!response.ok) throw await faultOf(response.clone());
    },
    onError: ({ error }) =>
      error instanceof ApiFault
        ? error
        : new ApiFault(
            network.isCut ? 'The network is cut' : 'The server does not answer',
            0,
            'UNREACHABLE',
            ...([undefined, undefined, {}] as const),
          ),
  });
  return api;
}

/** A ticket for one connection: what stands in the address opens nothing else, and once only. */
export async function ticket(network: Network, tokens: TokenSource, isRenewal: boolean): Promise<string> {
  const token = await tokens.userToken(isRenewal);
  const answer = await network
    .fetch('/ws/token', {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'X-Response-Format': 'bare' },
    })
    .catch(() => {
      throw new ApiFault('The server does not answer', 0, 'UNREACHABLE', undefined, undefined, {});
    });
  if (answer.ok) return ((await answer.json()) as { readonly token: string }).token;
  const fault = await faultOf(answer);
  // A token that is refused the first time may only have ended.
  if (fault.status === 401 && !isRenewal) return ticket(network, tokens, true);
  throw fault;
}

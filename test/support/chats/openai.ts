import OpenAI from 'openai';
import type { TestApp, TestTenant } from '../app';

/** OpenAI's own client, as its users make it; it tries nothing again by itself. */
export function openAi(
  { url }: Pick<TestApp, 'url'>,
  credential: string,
  headers: Readonly<Record<string, string>> = {},
): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: credential, defaultHeaders: headers, maxRetries: 0 });
}

/** Acting as a user, with the tenant's key. */
export function openAiAs(app: Pick<TestApp, 'url'>, tenant: Pick<TestTenant, 'apiKey'>, userId: string): OpenAI {
  return openAi(app, tenant.apiKey, { 'X-User-Id': userId });
}

/** What a refusal says: its class, status and the fields of its error. */
export interface Refused {
  readonly name: string;
  readonly status: unknown;
  readonly code: string | null | undefined;
  readonly param: string | null | undefined;
  readonly message: string;
}

/** The error that the client throws. */
export async function refusedBy(call: () => Promise<unknown>): Promise<Refused> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    const { code, param, message } = error;
    const status: unknown = error.status;
    return { name: error.constructor.name, status, code, param, message };
  }
  throw new Error('it was not refused');
}

export type ResponseEvent = OpenAI.Responses.ResponseStreamEvent;

/** The text that these events of a response tell. */
export function textOfResponse(events: readonly ResponseEvent[]): string {
  return events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('');
}

/** At most so many events, and then the connection is cut. */
export async function eventsOf(stream: AsyncIterable<ResponseEvent>, most = Infinity): Promise<ResponseEvent[]> {
  const events: ResponseEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    if (events.length >= most) break;
  }
  return events;
}

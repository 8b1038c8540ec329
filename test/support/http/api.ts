import type { components } from './api-types';
import { checkAgainstContract } from './contract';

/** The bodies that docs/openapi.json describes, by their names there. */
export type Bodies = components['schemas'];

/** An answer of the server; `body` is parsed JSON, or text where it is none. */
export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, with the content type given in `headers` (default application/json). */
  readonly raw?: string | Buffer;
}

/** The error of an answer that failed. */
export interface ErrorOf {
  readonly code: string;
  readonly message: string;
  readonly field?: string;
  readonly details?: Record<string, unknown>;
  readonly request_id: string;
}

/** A REST client that checks every answer against docs/openapi.json. */
export class Api {
  constructor(
    readonly baseUrl: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {}

  /** The same server with other or more headers. */
  with(headers: Readonly<Record<string, string>>): Api {
    return new Api(this.baseUrl, { ...this.headers, ...headers });
  }

  get<T = Record<string, unknown>>(path: string, options?: CallOptions): Promise<Answer<T>> {
    return this.call<T>('GET', path, undefined, options);
  }

  post<T = Record<string, unknown>>(path: string, body?: unknown, options?: CallOptions): Promise<Answer<T>> {
    return this.call<T>('POST', path, body, options);
  }

  patch<T = Record<string, unknown>>(path: string, body?: unknown, options?: CallOptions): Promise<Answer<T>> {
    return this.call<T>('PATCH', path, body, options);
  }

  delete<T = Record<string, unknown>>(path: string, options?: CallOptions): Promise<Answer<T>> {
    return this.call<T>('DELETE', path, undefined, options);
  }

  async call<T>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer<T>> {
    const payload = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const headers: Record<string, string> = { ...this.headers };
    if (payload !== undefined) headers['content-type'] = 'application/json';
    Object.assign(headers, lowerCased(options.headers ?? {}));
    const response = await fetch(this.baseUrl + path, {
      method,
      headers,
      ...(payload === undefined ? {} : { body: payload }),
    });
    const text = await response.text();
    if (isOfBalancer(response)) throw new TypeError('fetch failed');
    const answer = { status: response.status, headers: response.headers, body: parsed(text) as T };
    const enveloped =
      typeof answer.body === 'object' &&
      answer.body !== null &&
      'success' in answer.body &&
      'error' in answer.body &&
      'data' in answer.body;
    checkAgainstContract({ method, path, ...answer, enveloped });
    return answer;
  }
}

/** The error of an answer; throws when it is a success. */
export function errorOf(answer: Answer<unknown>): ErrorOf {
  const body = answer.body as { error?: ErrorOf };
  if (!body.error) throw new Error(`expected an error, got ${answer.status} ${JSON.stringify(answer.body)}`);
  return body.error;
}

/** A balancer's own words: no node has answered, so it is as if the connection had ended. We never say these in HTML. */
function isOfBalancer({ status, headers }: Response): boolean {
  return [502, 503, 504].includes(status) && headers.get('content-type')?.startsWith('text/html') === true;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The value of a series on /metrics, labels included; 0 where it is missing. */
export async function metricOf(api: Api, series: string): Promise<number> {
  const { body } = await api.get<string>('/metrics');
  const line = body.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}

import { type Fields, isObject } from '../../../common/text';
import { retryAfterMs } from '../../../common/time';
import type { StreamAnswer } from '../../../platform/outbound';
import type { FaultReason } from '../contract';
import { type Blame, ChannelFault, type RefusedParam } from './chat-model';

/** What is kept of what a provider says of a fault. */
const MAX_SAID = 300;
/** A provider's own names for faults; anything longer is text, which may quote a prompt. */
const NAME = /^[\w.:/-]{1,64}$/;

/** What a refusal says is waited for so long; the status is said already. */
const BODY_MS = 2000;
const MAX_BODY_BYTES = 64 * 1024;

/** A fault as a provider tells it, in a body or inside a stream. */
export interface ToldError {
  /** HTTP's, or a number that stands for one. */
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly code: string | undefined;
  readonly message: string;
  /** All of it, as it came. */
  readonly raw: string;
}

/**
 * The fault that a document tells of; undefined where it tells of none. Providers tell it as `{"error": …}`, as
 * `{"object": "error"}`, as `{"type": "error"}`, and, in what is no piece of an answer, as `detail`, `code`, `message` or
 * `errors`; some put it into an array.
 * @param isAnswer whether it is a piece of an answer in the provider's protocol, by its fields
 */
export function toldError(
  document: unknown,
  raw: string,
  isAnswer: (fields: Fields) => boolean = () => false,
): ToldError | undefined {
  const fields = fieldsOf(Array.isArray(document) ? document[0] : document);
  if (fields === undefined) return undefined;
  if (isSaid(fields['error'])) return toldIn(fields['error'], fields, raw);
  if (fields['object'] === 'error' || fields['type'] === 'error') return toldIn(fields, fields, raw);
  if (isAnswer(fields)) return undefined;
  const isOne = ['detail', 'errors', 'message', 'code', 'msg'].some((name) => isSaid(fields[name]));
  return isOne ? toldIn(fields, fields, raw) : undefined;
}

/** The same, of text that may be no document. */
export function toldErrorIn(text: string): ToldError {
  const parsed = parsedOf(text);
  const told = parsed === undefined ? undefined : toldError(parsed, text);
  // A page of a proxy says nothing of the fault.
  const message = /^\s*</.test(text) ? '' : text;
  return told ?? { status: undefined, type: undefined, code: undefined, message, raw: text };
}

/**
 * What it comes to: whose fault it is, and what it is about.
 * @param how in words that follow the channel's name
 * @param secrets are cut out of what is kept: the key of the channel
 */
export function faultOf(how: string, told: ToldError, secrets: readonly string[], waitMs?: number): ChannelFault {
  const { reason, blame } = judged(told);
  const words = WORDS[reason];
  return new ChannelFault(words === undefined ? how : `${how}: ${words}`, {
    reason,
    blame,
    status: told.status,
    type: nameOf(told.type),
    code: nameOf(told.code),
    said: cleaned(told.message === '' ? told.raw : told.message, secrets),
    retryAfterMs: waitMs ?? (reason === 'pace' ? delayIn(told.raw) : undefined),
    refused: reason === 'request' ? refusedIn(told) : undefined,
  });
}

/** Throws for what is no success. @param secrets see faultOf */
export async function refuseOtherStatus(answer: StreamAnswer, secrets: readonly string[]): Promise<void> {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return;
  const told = { ...toldErrorIn(await beginningOf(answer.body)), status };
  throw faultOf(`answered HTTP ${status}`, told, secrets, waitOf(headers));
}

/** What answers 200 with a page is a proxy, or a wrong base URL. */
export function refusePages({ headers }: StreamAnswer): void {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  if (/^text\/html$/i.test(type))
    throw new ChannelFault(`answered with ${type.toLowerCase()} and not with a stream: check its base URL`);
}

/** Milliseconds until the provider wants to be asked again; undefined where it does not say. */
function waitOf(headers: StreamAnswer['headers']): number | undefined {
  const exact = Number(headers['retry-after-ms']);
  return Number.isFinite(exact) && exact > 0 ? exact : retryAfterMs(headers['retry-after']);
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const iterator = body[Symbol.asyncIterator]();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), BODY_MS)));
  try {
    while (bytes < MAX_BODY_BYTES) {
      const next = await Promise.race([iterator.next(), late]);
      if (next === undefined || next.done === true) break;
      chunks.push(next.value);
      bytes += next.value.length;
    }
  } catch {
    // The status is enough.
  } finally {
    clearTimeout(timer);
    // Not waited for: it may hang as the body does.
    iterator.return?.().catch(() => undefined);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const WORDS: Readonly<Partial<Record<FaultReason, string>>> = {
  auth: 'it refuses the key',
  money: 'its account has no money or quota left',
  model: 'it does not know the model, or its base URL is wrong',
  overflow: 'the chat is longer than the model can read',
  content: 'it refuses the content',
};

/**
 * What names and texts tell, whatever the status: providers are often off by a status. The first that fits. A text may
 * quote what a user wrote, and no user must be able to write a channel's fault: such texts count at their beginning only.
 */
const BY_WORDS: readonly (readonly [reason: FaultReason, names: RegExp | undefined, texts: RegExp | undefined])[] = [
  [
    'overflow',
    /context_length_exceeded|exceed_context_size|context_window_exceeded|string_above_max_length|request_too_large/,
    /context (length|window|size|limit)|maximum (context|prompt|input)|prompt is too long|input (is )?too long|too many (input |prompt )?tokens|request too large|(reduce|shorten) (the length|your (prompt|messages|input))|exceeds? (the )?(maximum|max|model'?s?|available) (number of |allowed )?(tokens|context|input)|input token count/,
  ],
  [
    'content',
    /content_filter|content_policy|policy_violation|policyviolation|data_inspection|moderation|safety|prohibited_content/,
    /content (management |filter|policy)|flagged|violates? (our|the) (usage|content) polic|safety (system|filter|settings)/,
  ],
  [
    'money',
    /insufficient_quota|insufficient_balance|insufficient_credit|insufficient_funds|billing|payment_required|quota_exceeded|access_terminated/,
    /^(your )?(credit balance is too low|account (has )?insufficient)|^insufficient (balance|quota|credit|funds)|^payment required|^you have reached your specified api usage limits/,
  ],
  [
    'auth',
    /invalid_api_key|invalid_key|authentication|unauthenticated|unauthorized|permission_denied|permission_error|account_deactivated/,
    /^(incorrect|invalid|missing) api key|^api key (is )?(not valid|invalid|expired)|^authentication (failed|fails)|^user location is not supported/,
  ],
  [
    'model',
    /model_not_found|model_not_exist|unknown_model|invalid_model|model_not_available|deploymentnotfound|deployment_not_found|\bnot_found(_error)?\b/,
    /model\b.{0,80}(not found|does ?n[o']t exist|not exist|is not available|unknown|not supported|no access)|(unknown|invalid|no such|unsupported) model|not a valid model|do(es)? not have access to (the )?model/,
  ],
  // Some refuse what others answer with no text and `length`.
  ['reasoning', undefined, /^could not finish the message because max_/],
  ['pace', /rate_limit|too_many_requests|resource_exhausted|throttl/, /rate limit|too many requests/],
  ['provider', /server_error|internal|overloaded|api_error|unavailable|bad_gateway|timeout|engine/, undefined],
  [
    'request',
    /invalid_request|bad_?request|validation|invalid_argument|invalid_parameter|unsupported_|invalid_prompt|invalid_value/,
    undefined,
  ],
];

/** Statuses with which a provider refuses what it was asked, not the account that asked. */
const REQUESTS_STATUSES: ReadonlySet<number> = new Set([400, 413, 422]);

function judged({ status, type, code, message, raw }: ToldError): { reason: FaultReason; blame: Blame | undefined } {
  const names = `${type ?? ''} ${code ?? ''}`.toLowerCase();
  // What a provider passes on of another one stands somewhere in it.
  const text = `${message} ${raw}`.slice(0, 4000).toLowerCase();
  const found = BY_WORDS.find(([reason, name, words]) => {
    if (name?.test(names) === true) return true;
    return words !== undefined && mayMean(reason, status) && words.test(text);
  })?.[0];
  // A slower pace, or a fault of the provider's own, is what its status says; so is what names no more than "a request".
  if (found !== undefined && !['pace', 'provider', 'request'].includes(found))
    return { reason: found, blame: undefined };
  const byStatus = ofStatus(status);
  if (byStatus !== undefined) return byStatus;
  return { reason: found ?? 'provider', blame: undefined };
}

/** Whether a status allows for what a text says. */
function mayMean(reason: FaultReason, status: number | undefined): boolean {
  if (status === undefined) return true;
  switch (reason) {
    case 'overflow':
      return [400, 413, 422, 429, 500].includes(status);
    case 'content':
      return [400, 403, 422, 451].includes(status);
    case 'money':
      return [400, 402, 403].includes(status);
    case 'auth':
      return [400, 401, 403].includes(status);
    case 'reasoning':
      return status === 400;
    case 'model':
      return [400, 403, 404, 422].includes(status);
    default:
      return status === 429;
  }
}

function ofStatus(status: number | undefined): { reason: FaultReason; blame: Blame | undefined } | undefined {
  if (status === undefined || status < 300 || status > 599) return undefined;
  if (REQUESTS_STATUSES.has(status)) return { reason: 'request', blame: undefined };
  // No such model, or no such address: either way the next request may name another one.
  if (status === 404) return { reason: 'model', blame: undefined };
  if (status === 401 || status === 403) return { reason: 'auth', blame: undefined };
  if (status === 402) return { reason: 'money', blame: undefined };
  if (status === 429) return { reason: 'pace', blame: undefined };
  return { reason: status === 408 || status === 504 ? 'timeout' : 'provider', blame: undefined };
}

function toldIn(error: unknown, around: Fields, raw: string): ToldError {
  if (typeof error === 'string')
    return { status: numberOf(around) ?? statusOf(namesOf(around)), ...namesOf(around), message: error, raw };
  const fields = fieldsOf(Array.isArray(error) ? error[0] : error) ?? {};
  const message = ['message', 'detail', 'msg', 'errors', 'error'].map((name) => fields[name]).find(isSaid);
  return {
    status: numberOf(fields) ?? numberOf(around) ?? statusOf(namesOf(fields)),
    ...namesOf(fields),
    message: typeof message === 'string' ? message : message === undefined ? '' : JSON.stringify(message),
    raw,
  };
}

/** The number that stands for a status, in any of the fields that providers put it in. */
function numberOf(fields: Fields): number | undefined {
  for (const name of ['status', 'status_code', 'http_status', 'code']) {
    const value = Number(fields[name] ?? NaN);
    if (Number.isInteger(value) && value >= 300 && value <= 599) return value;
  }
  return undefined;
}

/** Names of Anthropic's and Google's that stand for a status, and so for what else a text may mean. */
const NAMED_STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

function statusOf({ type, code }: Pick<ToldError, 'type' | 'code'>): number | undefined {
  return NAMED_STATUSES[code ?? ''] ?? NAMED_STATUSES[type ?? ''];
}

/** Google has a name in `status`, and HTTP's status in `code`. */
function namesOf({ type, code, status }: Fields): Pick<ToldError, 'type' | 'code'> {
  const named = [code, status].find((name) => typeof name === 'string');
  return {
    type: typeof type === 'string' ? type : undefined,
    code: typeof named === 'string' ? named : typeof code === 'number' ? String(code) : undefined,
  };
}

/** Google says in its RetryInfo, and in no header, when to come back. A quotation of it would have escaped quotes. */
function delayIn(raw: string): number | undefined {
  const seconds = /"retryDelay"\s*:\s*"(\d{1,6}(?:\.\d+)?)s"/.exec(raw)?.[1];
  return seconds === undefined ? undefined : retryAfterMs(String(Math.ceil(Number(seconds))));
}

function refusedIn({ status, raw }: ToldError): RefusedParam | undefined {
  if (status !== 400 && status !== 422) return undefined;
  if (/max_(completion_)?tokens/i.test(raw)) return 'max_tokens';
  return /stream_options|include_usage/i.test(raw) ? 'stream_options' : undefined;
}

function nameOf(text: string | undefined): string | undefined {
  return text !== undefined && NAME.test(text) ? text : undefined;
}

/** Each with what goes before the key. */
const KEYS: readonly RegExp[] = [
  /()\bBearer\s+\S+/gi,
  /()\b(?:sk|rk|pk)-[\w*.-]{3,}/g,
  /()\b(?:AIza|ya29|eyJ)[\w*.-]{10,}/g,
  /()\b(?:gsk|xai|hf|nvapi|pplx|key|api)[-_](?=[\w*.-]*[\d*])[\w*.-]{6,}/g,
  /(\b(?:api[-_ ]?key|token|secret|password)(?: provided)?["']?\s*[:=]\s*["']?)[^\s"',;}]+/gi,
  /()\b(?=[\w-]*\d)[\w-]{32,}/g,
];
const ADDRESSES =
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>)]+|\b[\w.+-]+@[\w-]+(\.[\w-]+)+|\[[0-9a-f:.]*:[0-9a-f:.]*\](:\d+)?|\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b|\b(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}\b|\blocalhost(:\d+)?\b|\b[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|net|org|io|ai|dev|local|internal|cloud|app)\b(:\d+)?/gi;

/** At most the first 300 characters, without keys, addresses and what is not shown. */
export function cleaned(text: string, secrets: readonly string[]): string | undefined {
  let said = text.slice(0, 10 * MAX_SAID);
  for (const secret of secrets) if (secret !== '') said = said.replaceAll(secret, '[key]');
  said = said.replace(ADDRESSES, '[address]');
  for (const key of KEYS) said = said.replace(key, '$1[key]');
  said = said
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .toWellFormed()
    .trim();
  const characters = [...said];
  return said === '' ? undefined : characters.slice(0, MAX_SAID).join('');
}

function fieldsOf(value: unknown): Fields | undefined {
  return isObject(value) ? value : undefined;
}

function isSaid(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '' || value === 0) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

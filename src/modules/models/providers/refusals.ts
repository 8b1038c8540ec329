import { retryAfterMs } from '../../../common/time';
import type { StreamAnswer } from '../../../platform/outbound';
import { ChannelFault } from './chat-model';
import { faultOf, toldErrorIn } from './told-errors';

/** What a refusal says is waited for so long; the status is said already. */
const BODY_MS = 2000;
const MAX_BODY_BYTES = 64 * 1024;

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

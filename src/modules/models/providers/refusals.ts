import type { StreamAnswer } from '../../../platform/outbound';
import { ChannelFault } from './chat-model';

/** Statuses with which a provider refuses what it was asked, not whom it was asked by. */
const REQUESTS_FAULT: ReadonlySet<number> = new Set([400, 413, 422]);

/** Throws for what is no success. */
export function refuseOtherStatus({ status }: StreamAnswer): void {
  if (status >= 200 && status < 300) return;
  throw new ChannelFault(`answered HTTP ${status}`, REQUESTS_FAULT.has(status) ? 'request' : 'channel');
}

/** What answers 200 with a page is a proxy, or a wrong base URL. */
export function refuseOtherTypes({ headers }: StreamAnswer): void {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? '';
  if (/^(text\/html|application\/json)$/i.test(type))
    throw new ChannelFault(`answered with ${type.toLowerCase()} and not with a stream: check its base URL`);
}

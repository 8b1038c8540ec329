import { Injectable } from '@nestjs/common';
import { encodeId } from '../../common/ids';
import { retryAfterMs } from '../../common/retry-after';
import { Metrics } from '../../platform/metrics';
import { OutboundError, OutboundSender } from '../../platform/outbound';
import type { WebhookEndpoint } from '../tenants';
import type { Attempt } from './deliveries.repository';
import { signatureHeaders } from './sign';

/** Of an answer's body this much is kept. */
const KEPT_BYTES = 1024;
export const GONE = 410;

export interface Posted extends Attempt {
  /** The target asked to be left alone for so long. */
  readonly retryAfterMs: number | undefined;
}

/** Makes one attempt at a webhook. */
@Injectable()
export class Poster {
  constructor(
    private readonly sender: OutboundSender,
    private readonly metrics: Metrics,
  ) {}

  /** Never rejects for what the target does. @param id UUID of the delivery */
  async post(endpoint: WebhookEndpoint, id: string, body: string, signal: AbortSignal): Promise<Posted> {
    const begun = performance.now();
    const posted = await this.attempt(endpoint, id, body, signal);
    const latencyMs = Math.round(performance.now() - begun);
    if (!signal.aborted) {
      const outcome = posted.error === undefined ? 'delivered' : 'failed';
      this.metrics.counter('chatapi_webhook_attempts_total').labels({ outcome }).inc();
      this.metrics.histogram('chatapi_webhook_seconds').observe(latencyMs / 1000);
    }
    return { ...posted, latencyMs };
  }

  private async attempt(
    { url, secrets }: WebhookEndpoint,
    id: string,
    body: string,
    signal: AbortSignal,
  ): Promise<Omit<Posted, 'latencyMs'>> {
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'ChatAPI-Webhooks',
      ...signatureHeaders(encodeId('webhook', id), body, secrets(), new Date()),
    };
    try {
      const { status, retryAfter, body: answer } = await this.sender.post({ url, headers, body, signal });
      return {
        status,
        answer: textOf(answer),
        error: faultOf(status),
        retryAfterMs: retryAfterMs(retryAfter),
      };
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      return { status: undefined, answer: undefined, error: error.message, retryAfterMs: undefined };
    }
  }
}

function faultOf(status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  return status >= 300 && status < 400 ? `HTTP ${status}: redirects are not followed` : `HTTP ${status}`;
}

/** What the database can hold of it. */
function textOf(answer: Buffer): string {
  return answer.subarray(0, KEPT_BYTES).toString('utf8').replaceAll('\0', '');
}

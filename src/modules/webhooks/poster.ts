import { Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { encodeId } from '../../common/ids';
import { retryAfterMs } from '../../common/time';
import { Metrics } from '../../platform/metrics';
import { OutboundError, OutboundSender } from '../../platform/outbound';
import type { WebhookEndpoint } from './endpoints';
import type { DeliveryAttempt } from './deliveries.repository';

const SECRET_PREFIX = 'whsec_';

/**
 * The headers of one attempt, as Standard Webhooks say (https://www.standardwebhooks.com): an HMAC-SHA256 of id, time and
 * body by each of the secrets, so that a receiver may hold either one while they rotate.
 * @param at of this attempt: receivers refuse what is minutes old
 */
export function signatureHeaders(
  webhookId: string,
  body: string,
  secrets: readonly string[],
  at: Date,
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${webhookId}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': webhookId,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/** Of an answer's body this much is kept. */
const KEPT_BYTES = 1024;
export const GONE = 410;

export interface Posted extends DeliveryAttempt {
  /** The target asked to be left alone for so long. */
  readonly retryAfterMs: number | undefined;
}

/** What is posted. */
export interface DeliveryToPost {
  /** UUIDs. */
  readonly tenantId: string;
  readonly id: string;
  /** JSON text. */
  readonly body: string;
}

/** Makes one attempt at a webhook. */
@Injectable()
export class Poster {
  constructor(
    private readonly sender: OutboundSender,
    private readonly metrics: Metrics,
  ) {}

  /** Never rejects for what the target does. */
  async post(endpoint: WebhookEndpoint, delivery: DeliveryToPost, signal: AbortSignal): Promise<Posted> {
    const begun = performance.now();
    const posted = await this.attempt(endpoint, delivery, signal);
    const latencyMs = Math.round(performance.now() - begun);
    if (!signal.aborted) {
      const outcome = posted.error === undefined ? 'delivered' : 'failed';
      this.metrics.counter('chatapi_webhook_attempts_total').labels({ outcome }).inc();
      this.metrics.histogram('chatapi_webhook_seconds').observe(latencyMs / 1000);
      this.metrics.tenant(delivery.tenantId).posts++;
    }
    return { ...posted, latencyMs };
  }

  private async attempt(
    { url, secrets }: WebhookEndpoint,
    { id, body }: DeliveryToPost,
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

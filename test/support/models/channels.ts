import type { Channel } from '../../../src/modules/models/channels/channel-directory';
import { paramsOf } from '../../../src/modules/models/channels/channels.repository';
import type { Endpoint, WireParams } from '../../../src/modules/models/providers/chat-model';
import type { Clock } from '../../../src/common/time';
import { Breakers, Gates } from '../../../src/modules/models/routing/gates';
import type { ChannelChoice } from '../../../src/modules/models/routing/channel-choice';
import { FaultBook } from '../../../src/modules/models/routing/fault-book';
import { ModelsService } from '../../../src/modules/models/routing/models.service';
import type { Log } from '../../../src/platform/logging';
import type { Metrics } from '../../../src/platform/metrics';

const LONG_MS = 20_000;

/** As a channel asks that says nothing else. */
export const WIRE: WireParams = { maxTokensField: 'max_tokens', streamOptions: true, systemRole: 'system', extra: {} };

/** A tenant's channel that leads to nobody, and waits long. */
export function testChannel(name: string, values: Partial<Channel> = {}): Channel {
  return {
    ...{ key: name, id: name, name, isShared: false, provider: 'openai-compatible', baseUrl: `http://${name}/v1` },
    ...{ model: `model-of-${name}`, models: {}, priority: 0, weight: 1, enabled: true },
    ...{ maxTokens: null, temperature: null, contextTokens: null, params: paramsOf() },
    ...{ prices: null, modelPrices: {}, vision: false },
    timeouts: { firstMs: LONG_MS, idleMs: LONG_MS, totalMs: LONG_MS },
    endpoint: () => endpointTo('', () => Promise.reject(new Error('not called'))),
    ...values,
  };
}

export function endpointTo(
  baseUrl: string,
  post: Endpoint['post'],
  apiKey?: string,
  authHeader: Endpoint['authHeader'] = 'authorization',
): Endpoint {
  return { baseUrl, apiKey, authHeader, post };
}

/** What routing stands on. */
interface RoutingParts {
  readonly choice: ChannelChoice;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly maxAnswerBytes?: number;
}

/** Routing that has learned nothing yet. */
export function testModels({ choice, metrics, log, clock, maxAnswerBytes = 1_048_576 }: RoutingParts): ModelsService {
  const gates = new Gates(new Breakers(clock), clock);
  return new ModelsService(choice, gates, new FaultBook(log), metrics, clock, { maxAnswerBytes });
}

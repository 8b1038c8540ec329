import type { Channel } from '../../../src/modules/models/channels/channel-directory';
import { paramsOf } from '../../../src/modules/models/channels/channel-options';
import type { Endpoint, WireParams } from '../../../src/modules/models/providers/chat-model';
import { Breakers } from '../../../src/modules/models/routing/breakers';
import { FaultBook } from '../../../src/modules/models/routing/fault-book';
import { Gates } from '../../../src/modules/models/routing/gates';
import { LearnedParams } from '../../../src/modules/models/routing/learned-params';
import { RoutedModels, type RoutingParts } from '../../../src/modules/models/routing/routed-models';

const LONG_MS = 20_000;

/** As a channel asks that says nothing else. */
export const WIRE: WireParams = { maxTokensField: 'max_tokens', streamOptions: true, systemRole: 'system', extra: {} };

/** A tenant's channel that leads to nobody, and waits long. */
export function testChannel(name: string, values: Partial<Channel> = {}): Channel {
  return {
    ...{ key: name, id: name, name, isShared: false, provider: 'openai-compatible', baseUrl: `http://${name}/v1` },
    ...{ model: `model-of-${name}`, models: {}, priority: 0, weight: 1, enabled: true },
    ...{ maxTokens: null, temperature: null, contextTokens: null, params: paramsOf() },
    timeouts: { firstMs: LONG_MS, idleMs: LONG_MS, totalMs: LONG_MS },
    endpoint: () => endpointTo('', () => Promise.reject(new Error('not called'))),
    ...values,
  };
}

export function endpointTo(baseUrl: string, post: Endpoint['post'], apiKey?: string): Endpoint {
  return { baseUrl, apiKey, authHeader: 'authorization', post };
}

/** Routing that has learned nothing yet. */
export function testModels(
  parts: Pick<RoutingParts, 'choice' | 'metrics' | 'log' | 'clock'> & Partial<RoutingParts>,
): RoutedModels {
  const gates = new Gates(new Breakers(parts.clock), parts.clock);
  const faults = new FaultBook();
  return new RoutedModels({ gates, faults, learned: new LearnedParams(), maxAnswerBytes: 1_048_576, ...parts });
}

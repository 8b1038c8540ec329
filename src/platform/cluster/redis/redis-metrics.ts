import type { Metrics } from '../../metrics';
import type { CommandObserver } from './redis-commands';

/** Counts commands in the series of this server. */
export function commandMetrics(metrics: Metrics): CommandObserver {
  const seconds = new Map<string, { observe(seconds: number): void }>();
  return {
    answered(op, took) {
      let child = seconds.get(op);
      if (child === undefined)
        seconds.set(op, (child = metrics.histogram('chatapi_redis_command_seconds').labels({ op })));
      child.observe(took);
    },
    failed: (op) => metrics.counter('chatapi_redis_errors_total').labels({ op }).inc(),
  };
}

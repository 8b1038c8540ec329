import { ConfigError } from './config';

/** What a person at the terminal is told: one line per fault; a stack only where nobody expected the error. */
export function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.faults.join('\n');
  if (!(error instanceof Error)) return String(error);
  const isExpected = error.constructor === Error || /(Refusal|EmbeddedPostgresError)$/.test(error.name);
  return isExpected ? error.message : (error.stack ?? error.message);
}

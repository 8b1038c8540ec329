import { config as loadDotenv } from 'dotenv';
import { createApp } from './app';
import { banner } from './banner';
import { ALL_FIELDS, loadConfig, unknownVariables } from './config';
import { Lifecycle, spaceOutFullCollections, tidyHeapWhenIdle } from './platform/lifecycle';
import { describeError, explain, PinoLog } from './platform/logging';

async function main(): Promise<void> {
  spaceOutFullCollections();
  const { parsed = {} } = loadDotenv({ quiet: true });
  const config = loadConfig(process.env);
  const log = new PinoLog(config.runtime.logLevel, undefined, config.cluster.nodeName);
  const unknown = unknownVariables(ALL_FIELDS, process.env, Object.keys(parsed));
  if (unknown.length > 0) log.warn({ variables: unknown }, `not a setting of this server: ${unknown.join(', ')}`);
  const lifecycle = Lifecycle.configured(log, config.runtime);
  tidyHeapWhenIdle(lifecycle, log);
  let isOrdered = false;
  const stop = (reason: string, code: number): void => {
    isOrdered = true;
    void lifecycle.stop(reason).then(() => process.exit(code));
  };
  // From the first moment on: a start that is cut short must leave nothing behind either.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal, 0));
  lifecycle.onFatal((reason) => stop(reason, 1));
  try {
    const app = await createApp(config, (line) => console.log(line), log, lifecycle);
    console.log(banner(app));
    // Where that fails the next start shows another key.
    await app.firstStart?.shown().catch((error: unknown) => log.warn({ error: describeError(error) }, 'first start'));
  } catch (error) {
    if (!isOrdered) throw error;
  }
}

main().catch((error: unknown) => {
  console.error(`ChatAPI could not start:\n${explain(error)}`);
  process.exit(1);
});

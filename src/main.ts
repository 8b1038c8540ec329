import { config as loadDotenv } from 'dotenv';
import { createApp } from './app';
import { banner } from './banner';
import { ConfigError, loadConfig } from './config';

/** One line per fault; a stack only where nobody expected the error. */
function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.faults.join('\n');
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<void> {
  loadDotenv({ quiet: true });
  const app = await createApp(loadConfig(process.env), (line) => console.log(line));
  const stop = (reason: string, code: number): void => {
    void app.lifecycle.stop(reason).then(() => process.exit(code));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal, 0));
  app.lifecycle.onFatal((reason) => stop(reason, 1));
  console.log(banner(app));
}

main().catch((error: unknown) => {
  console.error(`ChatAPI could not start:\n${explain(error)}`);
  process.exit(1);
});

import { config as loadDotenv } from 'dotenv';
import { loadConfig } from './config';
import { openDatabase } from './platform/database';
import { Lifecycle } from './platform/lifecycle';
import { explain, PinoLog } from './platform/logging';

const USAGE = `npm run epoch             shows the epoch of this installation
npm run epoch -- bump     raises it: all clients read their rooms anew, socket tickets are void

The server has to be stopped. Raise it after the data came back in a way that a start does not notice by itself: a snapshot
of the disk, or a restore of your own PostgreSQL.`;

/** What the command line asks for; undefined: neither of the two. */
function commandOf(args: readonly string[]): 'show' | 'bump' | undefined {
  if (args.length === 0) return 'show';
  return args.length === 1 && args[0] === 'bump' ? 'bump' : undefined;
}

/** `npm run epoch`. Opens the database as a start does, and so is refused while a server runs on it. */
async function main(): Promise<void> {
  const command = commandOf(process.argv.slice(2));
  if (command === undefined) throw new Error(USAGE);
  loadDotenv({ quiet: true });
  const config = loadConfig(process.env);
  const log = new PinoLog('warn');
  const lifecycle = new Lifecycle(log);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void lifecycle.stop(signal));
  try {
    const onProgress = (line: string): void => console.error(line);
    const { epoch } = await openDatabase({ config: config.database, log, lifecycle, onProgress });
    const before = await epoch.readEpoch();
    if (command === 'show') console.log(`epoch ${before}`);
    else console.log(`epoch ${await epoch.raise(before)} (before: ${before}): clients read their rooms anew`);
  } finally {
    await lifecycle.stop('done');
  }
}

main().catch((error: unknown) => {
  console.error(explain(error));
  process.exit(1);
});

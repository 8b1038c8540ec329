/** `npm run docs:paths`: records the walks and writes docs/paths.md. */
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { Servers } from '../server-process';
import { PAGE, pageOf } from './page';
import { recordWalks } from './walks';

async function main(): Promise<void> {
  const servers = new Servers();
  const recorded = await recordWalks(servers, servers.dataDir());
  writeFileSync(PAGE, await format(pageOf(recorded), { parser: 'markdown' }));
  for (const [name, files] of Object.entries({ call: recorded.call, job: recorded.job, ...recorded.walks }))
    console.log(`${name}: ${files.length} files`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

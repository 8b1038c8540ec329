import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, '../../../test/support/server-hook.cjs');
const LIMIT = 64;

/** Uses up all descriptors, waits for the warning, and gives them back; prints what was logged. */
const SCRIPT = `
  const { openSync, closeSync } = require('node:fs');
  const { Lifecycle, watchDescriptors } = require(${JSON.stringify(join(__dirname, 'index.ts'))});
  const lines = [];
  const note = (level) => (fields, message) => lines.push({ level, fields, message });
  const log = { debug: () => undefined, info: note('info'), warn: note('warn'), error: note('error') };
  const until = async (test) => { while (!test()) await new Promise((resolve) => setTimeout(resolve, 20)); };
  (async () => {
    const lifecycle = new Lifecycle(log);
    watchDescriptors(lifecycle, log);
    const taken = [];
    for (let round = 1; round <= 2; round++) {
      try { for (;;) taken.push(openSync('/dev/null', 'r')); } catch {}
      await until(() => lines.filter(({ level }) => level === 'warn').length === round);
      taken.splice(0).forEach((fd) => closeSync(fd));
      await until(() => lines.filter(({ level }) => level === 'info').length === round);
    }
    process.stdout.write(JSON.stringify(lines));
    process.exit(0);
  })();
`;

it('S33: descriptors that run out are told once with the limit, and once when there are some again', () => {
  const { stdout, stderr } = spawnSync(
    'sh',
    ['-c', `ulimit -n ${LIMIT} && exec "$0" "$@"`, process.execPath, '-r', HOOK, '-e', SCRIPT],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const warning = `no file descriptor is left (limit ${LIMIT}): new connections are dropped; raise ulimit -n`;
  const told = [
    { level: 'warn', fields: { code: 'EMFILE', limit: LIMIT }, message: warning },
    { level: 'info', fields: { limit: LIMIT }, message: 'there are file descriptors again' },
  ];
  expect(JSON.parse(stdout)).toEqual([...told, ...told]);
});

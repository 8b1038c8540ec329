import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresArguments, readSince, rotateLog, sizeOf } from './postmaster';

describe('postgresArguments', () => {
  it('is durable, silent about content, and off the network', () => {
    const args = postgresArguments('/data/postgres', '/tmp/chatapi-x', {});
    expect(args.slice(0, 4)).toEqual(['-D', '/data/postgres', '-k', '"/tmp/chatapi-x"']);
    for (const setting of [
      ...['fsync=on', 'full_page_writes=on', 'synchronous_commit=on', 'listen_addresses='],
      ...['log_min_messages=log', 'log_min_error_statement=panic', 'log_error_verbosity=terse', 'log_statement=none'],
    ]) {
      expect(args).toContain(setting);
    }
  });

  it('lets tests replace a setting, and quotes the socket directory', () => {
    const args = postgresArguments('/d', '/tmp/a,"b"', { fsync: 'off', work_mem: '8MB' });
    expect(args).toContain('fsync=off');
    expect(args).not.toContain('fsync=on');
    expect(args).toContain('work_mem=8MB');
    expect(args[3]).toBe('"/tmp/a,""b"""');
  });
});

describe('postgres.log', () => {
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'log-'));
    file = join(dir, 'postgres.log');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is put aside when it is too large, and only then', async () => {
    await rotateLog(file, 10);
    writeFileSync(file, '0123456789');
    await rotateLog(file, 10);
    expect(existsSync(`${file}.1`)).toBe(false);
    writeFileSync(file, '0123456789+');
    await rotateLog(file, 10);
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('0123456789+');
    expect(await sizeOf(file)).toBe(0);
  });

  it('is read from where a start began', async () => {
    expect(await readSince(file, 0)).toBe('');
    writeFileSync(file, 'old\nnew\n');
    expect(await readSince(file, 4)).toBe('new\n');
    expect(await readSince(file, 8)).toBe('');
    writeFileSync(file, 'x'.repeat(20_000));
    expect(await readSince(file, 0)).toHaveLength(16_384);
  });
});

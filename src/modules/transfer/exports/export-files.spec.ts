import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExportFiles } from './export-files';

const TENANT = '01900000-0000-7000-8000-000000000001';
const EXPORT = '01900000-0000-7000-8000-0000000000e1';
const FILE = { tenantId: TENANT, exportId: EXPORT, attempt: 2 };
const CHUNK = 64 * 1024;

describe('the files of exports', () => {
  let dataDir: string;
  let files: ExportFiles;
  const signal = new AbortController().signal;
  const pathOf = (name = ''): string => join(dataDir, 'exports', TENANT, name);
  const partial = `${EXPORT}.2.partial`;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'chatapi-files-'));
    files = new ExportFiles({ dataDir });
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  async function* noise(chunks: number, each: (n: number) => void = () => undefined): AsyncGenerator<Buffer> {
    for (let n = 0; n < chunks; n++) {
      each(n);
      yield await Promise.resolve(randomBytes(CHUNK));
    }
  }

  it('are read no faster than they are written: what is held is a few chunks, however long they get', async () => {
    let most = 0;
    // What does not compress: the bytes that were taken and are not in the file are those that are held.
    const written = await files.write(
      FILE,
      noise(512, (n) => {
        const onDisk = existsSync(pathOf(partial)) ? statSync(pathOf(partial)).size : 0;
        most = Math.max(most, n * CHUNK - onDisk);
      }),
      signal,
    );
    expect(written.bytes).toBeGreaterThan(512 * CHUNK);
    expect(statSync(pathOf(`${EXPORT}.2.ndjson.gz`)).size).toBe(written.bytes);
    expect(most).toBeLessThan(16 * CHUNK);
  });

  it('have their name, and can be opened, only when they are whole', async () => {
    const seen: string[] = [];
    await files.write(
      FILE,
      noise(3, () => seen.push(...readdirSync(pathOf()))),
      signal,
    );
    expect(new Set(seen)).toEqual(new Set([partial]));
    expect(readdirSync(pathOf())).toEqual([`${EXPORT}.2.ndjson.gz`]);
    expect(statSync(pathOf(`${EXPORT}.2.ndjson.gz`)).mode & 0o777).toBe(0o600);
    expect(statSync(pathOf()).mode & 0o777).toBe(0o700);
    await (await files.open(FILE))?.close();
    expect(await files.open({ ...FILE, attempt: 1 })).toBeUndefined();
  });

  it('leave nothing where their source fails, where they are stopped, or where the disk refuses', async () => {
    const stop = new AbortController();
    const failing = noise(3, (n) => {
      if (n === 2) throw new Error('the source');
    });
    const stopped = noise(3, (n) => {
      if (n === 2) stop.abort(new Error('stopped'));
    });
    await expect(files.write(FILE, failing, signal)).rejects.toThrow('the source');
    await expect(files.write(FILE, stopped, stop.signal)).rejects.toThrow('abort');
    expect(readdirSync(pathOf())).toEqual([]);
    rmSync(join(dataDir, 'exports'), { recursive: true });
    writeFileSync(join(dataDir, 'exports'), '');
    // Without a path of this machine.
    await expect(files.write(FILE, noise(1), signal)).rejects.toThrow(/^The file could not be written \(E\w+\)$/);
  });

  it('are found by tenant, without what is none of ours', async () => {
    await files.write(FILE, noise(1), signal);
    for (const name of [`${EXPORT}.3.partial`, 'notes.txt', `${EXPORT}.x.partial`]) writeFileSync(pathOf(name), '');
    mkdirSync(join(dataDir, 'exports', 'other'));
    mkdirSync(join(dataDir, 'exports', EXPORT));
    const found = [];
    for await (const some of files.found()) found.push(...some);
    expect(found.sort((a, b) => a.attempt - b.attempt)).toEqual([FILE, { ...FILE, attempt: 3 }]);
    // The directory of a tenant that has none left.
    expect(readdirSync(join(dataDir, 'exports')).sort()).toEqual([TENANT, 'other'].sort());
    rmSync(pathOf(`${EXPORT}.3.partial`));
    await files.write({ ...FILE, attempt: 3 }, noise(1), signal);
    expect(
      readdirSync(pathOf())
        .filter((name) => name.startsWith(EXPORT))
        .sort(),
    ).toEqual([`${EXPORT}.3.ndjson.gz`, `${EXPORT}.x.partial`]);
  });
});

import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { healSymlinks, locateBinaries } from './binaries';

describe('locateBinaries', () => {
  it.each([
    ['win32', 'x64', /does not run on Windows; set DATABASE_URL/],
    ['freebsd', 'x64', /no embedded database for freebsd-x64; set DATABASE_URL/],
    // Installed only where it fits, as on every platform whose package npm left out.
    ['darwin', process.platform === 'darwin' ? 'none' : 'arm64', /not installed|no embedded database/],
  ])('has one clear line for %s-%s', async (platform, arch, message) => {
    await expect(locateBinaries(platform, arch)).rejects.toThrow(message);
  });
});

describe('healSymlinks', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'binaries-'));
    mkdirSync(join(root, 'native/lib'), { recursive: true });
    writeFileSync(join(root, 'native/lib/libpq.so.5.18'), 'lib');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const link = { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' };

  it('makes the links that npm --ignore-scripts left out, once', async () => {
    writeFileSync(join(root, 'native/pg-symlinks.json'), JSON.stringify([link, { nonsense: true }]));
    await healSymlinks(join(root, 'native'));
    await healSymlinks(join(root, 'native'));
    expect(readlinkSync(join(root, link.target))).toBe('libpq.so.5.18');
  });

  it('has nothing to do where the package brings no list', async () => {
    await expect(healSymlinks(join(root, 'native'))).resolves.toBeUndefined();
    writeFileSync(join(root, 'native/pg-symlinks.json'), '{}');
    await expect(healSymlinks(join(root, 'native'))).resolves.toBeUndefined();
  });

  it('says so when the package cannot be completed', async () => {
    const missing = { source: link.source, target: 'native/nowhere/libpq.so' };
    writeFileSync(join(root, 'native/pg-symlinks.json'), JSON.stringify([missing]));
    await expect(healSymlinks(join(root, 'native'))).rejects.toThrow(/incomplete .* --ignore-scripts/);
  });
});

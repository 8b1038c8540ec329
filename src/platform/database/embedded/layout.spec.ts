import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLayout, socketDirFor, socketFile } from './layout';

describe('the socket directory', () => {
  it('is short, and one per data directory', () => {
    const dir = socketDirFor('/a/long/way/'.repeat(30), '/tmp');
    expect(dir).toMatch(/^\/tmp\/chatapi-[0-9a-f]{12}$/);
    expect(socketDirFor('/other', '/tmp')).not.toBe(dir);
    expect(socketDirFor('/other', '/tmp')).toBe(socketDirFor('/other', '/tmp'));
  });

  it('falls back to /tmp when TMPDIR is too long for a socket', () => {
    const dir = socketDirFor('/data', `/${'x'.repeat(80)}`);
    expect(dir).toMatch(/^\/tmp\/chatapi-/);
    expect(Buffer.byteLength(`${socketFile(dir)}.lock`)).toBeLessThanOrEqual(103);
  });
});

it('one directory has one layout, by whatever path it is reached', async () => {
  const base = mkdtempSync(join(tmpdir(), 'layout-'));
  try {
    const layout = await openLayout(join(base, 'new/data'));
    symlinkSync(join(base, 'new'), join(base, 'link'));
    expect(await openLayout(join(base, 'link/data'))).toEqual(layout);
    expect(layout.cluster).toBe(join(layout.dataDir, 'postgres'));
  } finally {
    rmSync(base, { recursive: true });
  }
});

import { open, rename, stat } from 'node:fs/promises';

const MAX_BYTES = 10 * 1024 * 1024;

/** Looked at before every start of postgres: a log of at most 10 MB, and one predecessor. */
export async function rotateLog(file: string, maxBytes: number = MAX_BYTES): Promise<void> {
  if ((await sizeOf(file)) > maxBytes) await rename(file, `${file}.1`);
}

export async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** What was written since `offset`, at most the last 16 KB of it. */
export async function readSince(file: string, offset: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const from = Math.max(offset, size - 16_384);
    if (size <= from) return '';
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

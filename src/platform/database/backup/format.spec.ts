import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runs } from '../../../../test/support/timing';
import { BackupRefusal, type Block, BlockKind, BlockReader, BlockWriter, FORMAT } from './format';

const BLOCKS: readonly Block[] = [
  { kind: BlockKind.header, body: Buffer.from('{"epoch":1}') },
  { kind: BlockKind.table, body: Buffer.from('{"name":"rooms"}') },
  { kind: BlockKind.rows, body: Buffer.from('a\tb\n'.repeat(5000)) },
  { kind: BlockKind.rows, body: Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 167) % 251)) },
  { kind: BlockKind.tableEnd, body: Buffer.alloc(0) },
  { kind: BlockKind.end, body: Buffer.from('{"rows":5000}') },
];

describe('S1 (a): the file of a backup', () => {
  let dir: string;
  let whole: Buffer;
  /** Where each block ends. */
  let ends: number[];

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'backup-format-'));
    ({ content: whole, ends } = await written(BLOCKS));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  async function written(blocks: readonly Block[]): Promise<{ content: Buffer; ends: number[] }> {
    const file = join(dir, 'written');
    const handle = await open(file, 'w');
    const writer = await BlockWriter.begin(handle);
    const at = [writer.bytes];
    for (const { kind, body } of blocks) {
      await writer.block(kind, body);
      at.push(writer.bytes);
    }
    await handle.close();
    return { content: readFileSync(file), ends: at };
  }

  async function read(content: Buffer): Promise<Block[]> {
    const file = join(dir, 'read');
    writeFileSync(file, content);
    const handle = await open(file, 'r');
    try {
      const reader = await BlockReader.begin(handle, 'FILE');
      const blocks: Block[] = [];
      for (let block = await reader.next(); block; block = await reader.next()) blocks.push(block);
      return blocks;
    } finally {
      await handle.close();
    }
  }

  it('is read as it was written, and is smaller than what is in it', async () => {
    expect(await read(whole)).toEqual(BLOCKS);
    expect(ends.at(-1)).toBe(whole.length);
    expect(whole.length).toBeLessThan(8000);
  });

  it('is refused where it is cut, at the end of every block and everywhere else', async () => {
    const cuts = fc.integer({ min: 0, max: whole.length - 1 });
    const refused = async (length: number): Promise<void> =>
      expect(read(whole.subarray(0, length))).rejects.toThrow(/^FILE is (cut short|no backup)/);
    for (const end of ends.slice(0, -1)) await refused(end);
    await fc.assert(fc.asyncProperty(cuts, refused), { numRuns: runs(200) });
  });

  it('is refused where one bit of it is another', async () => {
    const bits = fc.tuple(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 0, max: 7 }));
    const refused = async ([at, bit]: [number, number]): Promise<void> => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      await expect(read(changed)).rejects.toThrow(BackupRefusal);
    };
    await fc.assert(fc.asyncProperty(bits, refused), { numRuns: runs(400) });
    // Where a block says how long it is, and what it is.
    for (const start of ends.slice(0, -1))
      for (let at = start; at < start + 10; at++) for (const bit of [0, 4, 7]) await refused([at, bit]);
  });

  it('is refused where blocks are left out, doubled, or in another order', async () => {
    const parts = ends.slice(1).map((end, i) => whole.subarray(ends[i], end));
    const prefix = whole.subarray(0, ends[0]);
    const orders = [[0, 1, 3, 4, 5], [0, 1, 2, 2, 3, 4, 5], [0, 1, 3, 2, 4, 5], [5], [0, 5]];
    for (const order of orders)
      await expect(read(Buffer.concat([prefix, ...order.map((i) => parts[i] ?? prefix)]))).rejects.toThrow(
        /is damaged/,
      );
  });

  it('is refused where something follows its end', async () => {
    await expect(read(Buffer.concat([whole, Buffer.from([0])]))).rejects.toThrow(/is damaged/);
  });

  it('is refused where a newer release made it: by its format, and by a block that is not known', async () => {
    const newer = Buffer.from(whole);
    newer[15] = FORMAT + 1;
    await expect(read(newer)).rejects.toThrow(/made by a newer release \(its format is 2/);
    const { content } = await written([{ kind: 0x4f as BlockKind, body: Buffer.from('object') }]);
    await expect(read(content)).rejects.toThrow(/does not know/);
  });

  it('is refused where it is something else', async () => {
    for (const other of ['', 'PGDMP', 'ChatAPI backup', '{"a":1}'.repeat(20)])
      await expect(read(Buffer.from(other))).rejects.toThrow(/no backup of ChatAPI|cut short/);
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { AppError } from '../../../common/errors';
import { newUuid } from '../../../common/ids';
import { loadConfig } from '../../../config';
import { type ImportRef, ImportParts } from './parts';

async function* bodyOf(...pieces: (Buffer | string | Error)[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    // A client sends no two pieces in one turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (piece instanceof Error) throw piece;
    yield Buffer.from(piece);
  }
}

async function allOf(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const found: Buffer[] = [];
  for await (const piece of pieces) found.push(piece);
  return Buffer.concat(found);
}

async function refusal(work: Promise<unknown>): Promise<[number, string]> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof AppError) return [error.status, error.message];
  throw new Error('it was no refusal', { cause: error });
}

describe('the parts of an upload', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'parts-'));
  const { database, transfer } = loadConfig({ DATA_DIR: dataDir, IMPORT_MAX_GB: '1' });
  const parts = new ImportParts(database, transfer);
  let ref: ImportRef;
  const directory = (): string => join(dataDir, 'imports', ref.tenantId, ref.importId);

  beforeEach(() => (ref = { tenantId: newUuid(), importId: newUuid() }));
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('are files that the server alone reads, and told by size and hash', async () => {
    const stored = await parts.store(ref, 1, bodyOf('hello ', 'world'));
    expect(stored).toEqual({ bytes: 11, sha256: createHash('sha256').update('hello world').digest('hex') });
    expect(readdirSync(directory())).toEqual(['part-00001']);
    expect(statSync(join(directory(), 'part-00001')).mode & 0o777).toBe(0o600);
    for (const path of [directory(), join(directory(), '..'), join(dataDir, 'imports')])
      expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(await parts.list(ref)).toEqual([{ number: 1, bytes: 11, path: join(directory(), 'part-00001') }]);
  });

  it('are one file, whatever their order of arrival; the last one of a number counts', async () => {
    await parts.store(ref, 3, bodyOf('third'));
    await parts.store(ref, 1, bodyOf('wrong and longer'));
    await parts.store(ref, 2, bodyOf('second,'));
    await parts.store(ref, 1, bodyOf('first,'));
    const file = await parts.open(ref);
    expect(file.size).toBe(18);
    expect((await allOf(file.stream())).toString()).toBe('first,second,third');
    expect(await file.sha256()).toBe(createHash('sha256').update('first,second,third').digest('hex'));
  });

  it('two uploads of one number at once leave one of them whole', async () => {
    const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(300_000));
    const halves = texts.map((text) => [text.slice(0, 100_000), text.slice(100_000)] as const);
    await Promise.all(halves.map((pieces) => parts.store(ref, 1, bodyOf(...pieces))));
    expect(texts).toContain((await allOf((await parts.open(ref)).stream())).toString());
    expect(readdirSync(directory())).toEqual(['part-00001']);
  });

  it('an upload that breaks off changes nothing, and leaves nothing', async () => {
    await parts.store(ref, 1, bodyOf('as it was'));
    await expect(parts.store(ref, 1, bodyOf('half of', new Error('hung up')))).rejects.toThrow('hung up');
    expect(await refusal(parts.store(ref, 2, bodyOf()))).toEqual([400, 'The part is empty']);
    expect(readdirSync(directory())).toEqual(['part-00001']);
    expect((await allOf((await parts.open(ref)).stream())).toString()).toBe('as it was');
  });

  it('what a crash left is gone with the next part, and what another call is writing is not', async () => {
    await parts.store(ref, 1, bodyOf('whole'));
    const left = join(directory(), 'part-00002.aaaaaaaaaaaa.new');
    const live = join(directory(), 'part-00002.bbbbbbbbbbbb.new');
    for (const path of [left, live]) writeFileSync(path, 'half');
    utimesSync(left, 0, 0);
    await parts.store(ref, 3, bodyOf('whole'));
    expect(readdirSync(directory()).sort()).toEqual(['part-00001', 'part-00002.bbbbbbbbbbbb.new', 'part-00003']);
    expect((await parts.list(ref)).map(({ number }) => number)).toEqual([1, 3]);
  });

  it.each([0, -1, 1.5, NaN, 100_000])('part %p is refused', async (part) => {
    expect((await refusal(parts.store(ref, part, bodyOf('x'))))[0]).toBe(400);
  });

  it('a file with a gap, and one without a part, are no file', async () => {
    expect(await refusal(parts.open(ref))).toEqual([409, 'No part of the file has been sent yet']);
    await parts.store(ref, 2, bodyOf('x'));
    expect(await refusal(parts.open(ref))).toEqual([409, 'Part 1 of the file is missing']);
    await parts.store(ref, 1, bodyOf('x'));
    await parts.store(ref, 4, bodyOf('x'));
    expect(await refusal(parts.open(ref))).toEqual([409, 'Part 3 of the file is missing']);
  });

  it('all together are no larger than IMPORT_MAX_GB', async () => {
    const small = new ImportParts(database, { importMaxGb: 1000 / 1024 ** 3 });
    await small.store(ref, 1, bodyOf('x'.repeat(600)));
    expect((await refusal(small.store(ref, 2, bodyOf('x'.repeat(300), 'x'.repeat(101)))))[0]).toBe(413);
    await small.store(ref, 2, bodyOf('x'.repeat(400)));
    expect((await refusal(small.store(ref, 3, bodyOf('x'))))[0]).toBe(413);
    // What is sent again takes the place of what was there.
    await small.store(ref, 1, bodyOf('y'.repeat(600)));
    expect((await small.open(ref)).size).toBe(1000);
    expect((await refusal(new ImportParts(database, { importMaxGb: 999 / 1024 ** 3 }).open(ref)))[0]).toBe(413);
  });

  it('go with their import, and with their tenant', async () => {
    const other = { tenantId: ref.tenantId, importId: newUuid() };
    for (const each of [ref, other]) await parts.store(each, 1, bodyOf('x'));
    await parts.remove(ref);
    await parts.remove(ref);
    expect([(await parts.list(ref)).length, (await parts.list(other)).length]).toEqual([0, 1]);
    await parts.removeAll(ref.tenantId);
    expect(readdirSync(join(dataDir, 'imports'))).not.toContain(ref.tenantId);
  });

  it('no name leads out of the directory', async () => {
    const outside = { tenantId: '..', importId: newUuid() };
    await expect(parts.store(outside, 1, bodyOf('x'))).rejects.toThrow('named by a UUID');
    await expect(parts.remove({ ...ref, importId: '../..' })).rejects.toThrow('named by a UUID');
  });

  it('any bytes from anywhere are those of the whole', async () => {
    const sizes = [1, 20_000, 70_000, 5, 16_384, 3];
    const bytes = randomBytes(sizes.reduce((a, b) => a + b));
    let from = 0;
    for (const [i, size] of sizes.entries()) {
      await parts.store(ref, i + 1, bodyOf(bytes.subarray(from, from + size)));
      from += size;
    }
    const file = await parts.open(ref);
    const position = fc.integer({ min: 0, max: bytes.length });
    await fc.assert(
      fc.asyncProperty(position, position, async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect((await file.read(start, end - start)).equals(bytes.subarray(start, end))).toBe(true);
        expect((await allOf(file.stream(start, end))).equals(bytes.subarray(start, end))).toBe(true);
      }),
    );
    await expect(file.read(bytes.length - 1, 2)).rejects.toThrow(RangeError);
    await expect(file.read(bytes.length - 40_000, 40_001)).rejects.toThrow(RangeError);
  });
});

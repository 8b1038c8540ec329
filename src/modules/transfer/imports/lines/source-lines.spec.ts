import { gunzipSync, gzipSync } from 'node:zlib';
import { exportFile, roomLines, userLine } from '../../../../../test/support/transfer/files';
import { HashSet } from './hash-set';
import { chatapiLines, isSourceFault } from './source-lines';

const FILE = exportFile([userLine('ann'), ...roomLines({ members: ['ann'], messages: [{}, {}] })]);
const TEXT = gunzipSync(FILE).toString();

/** The file as it comes from the disk, in pieces of some bytes. */
async function* inPieces(file: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < file.length; from += size) yield file.subarray(from, from + size);
}

async function read(file: Buffer, size = 10): Promise<{ kinds: string[]; faults: [number, string][] }> {
  const kinds: string[] = [];
  const faults: [number, string][] = [];
  for await (const item of chatapiLines(inPieces(file, size)))
    if (isSourceFault(item)) faults.push([item.line, item.fault]);
    else kinds.push((item.value as { kind: string }).kind);
  return { kinds, faults };
}

describe('the lines of an export', () => {
  it.each([1, 7, 1000])('are those between header and end, however they come in: %i bytes at a time', async (size) => {
    const kinds = ['user', 'room', 'member', 'message', 'message'];
    expect(await read(FILE, size)).toEqual({ kinds, faults: [] });
  });

  it.each<[string, string, [number, string][]]>([
    [
      'another header',
      TEXT.replace('"format":1', '"format":2'),
      [
        [1, 'the file does not begin as an export of format 1 does'],
        [0, 'the file has no header'],
      ],
    ],
    ['no end', TEXT.replace(/\{"kind":"end".*\n/, ''), [[0, 'the file was cut off: it has no end']]],
    ['a line after the end', `${TEXT}{"kind":"user"}\n`, [[8, 'no line may follow the end']]],
    [
      'a line that was changed',
      TEXT.replace('said 1', 'said 7'),
      [[7, 'the lines have another hash than the end says']],
    ],
    [
      'a line too few',
      TEXT.replace(/\{"kind":"user".*\n/, ''),
      [[6, 'the file has other numbers of lines than its end says']],
    ],
  ])('with %s are refused', async (_, text, faults) => {
    expect((await read(gzipSync(text))).faults).toEqual(faults);
  });

  it('that are no JSON are named, and the others are read', async () => {
    const { kinds, faults } = await read(exportFile(['{"kind":', userLine('ann')]));
    expect([kinds, faults]).toEqual([['user'], [[2, 'the line is not valid JSON']]]);
  });

  it.each([
    ['that is no gzip', Buffer.from('hello')],
    ['that was cut off', FILE.subarray(0, -20)],
  ])('of a file %s are a fault of the file', async (_, file) => {
    expect((await read(file)).faults).toContainEqual([expect.any(Number), 'the file is no gzip, or was cut off']);
  });

  it('whose file cannot be read are no fault of the file', async () => {
    const broken = (async function* (): AsyncGenerator<Buffer> {
      yield FILE.subarray(0, 10);
      throw new Error('the disk is gone');
    })();
    const all = async (): Promise<void> => {
      for await (const item of chatapiLines(broken)) expect(isSourceFault(item)).toBe(false);
    };
    await expect(all()).rejects.toThrow('the disk is gone');
  });
});

describe('texts that were seen', () => {
  it('are known again, and no others are', () => {
    const seen = new HashSet();
    for (let i = 0; i < 10_000; i++) expect(seen.add(`id ${i}`)).toBe(true);
    for (let i = 0; i < 10_000; i++) expect([seen.has(`id ${i}`), seen.add(`id ${i}`)]).toEqual([true, false]);
    expect([seen.size, seen.has('id 10000')]).toEqual([10_000, false]);
    seen.clear();
    expect([seen.size, seen.has('id 1')]).toEqual([0, false]);
  });
});

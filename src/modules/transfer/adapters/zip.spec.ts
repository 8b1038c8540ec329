import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { BytesFile, zipOf } from '../../../../test/support/transfer/foreign-files';
import { eventually } from '../../../../test/support/embedded/processes';
import { FileFault } from './adapter';
import { ZipArchive } from './zip';

const MB = 1024 * 1024;
const GB = 1024 * MB;

function open(zip: Buffer, maxBytes = GB): Promise<ZipArchive> {
  return ZipArchive.open(new BytesFile(zip, 1000), maxBytes);
}

async function textOf(archive: ZipArchive, name: string): Promise<string> {
  return (await buffer(archive.stream(name))).toString();
}

async function blame(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FileFault)) throw new Error('the file was not blamed', { cause: error });
  return `${error.place.file}: ${error.message}`;
}

/** The same zip with another name in it, of the same length. */
function renamed(zip: Buffer, from: string, to: string): Buffer {
  const copy = Buffer.from(zip);
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + 1)) copy.write(to, at);
  return copy;
}

const CENTRAL = Buffer.from([0x50, 0x4b, 0x01, 0x02]);

/** The same zip with a field of its directory's first entry changed. */
function altered(zip: Buffer, change: (zip: Buffer, entry: number) => void): Buffer {
  const copy = Buffer.from(zip);
  change(copy, copy.indexOf(CENTRAL));
  return copy;
}

describe('a zip that nobody vouches for', () => {
  it.each([true, false])('gives its files out as they were (packed: %s)', async (compress) => {
    const noise = randomBytes(100_000).toString('base64');
    const archive = await open(await zipOf({ 'a.json': '{}', 'b/c.json': noise, 'empty.json': '' }, { compress }));
    expect([...archive.names()]).toEqual(['a.json', 'b/c.json', 'empty.json']);
    expect([archive.has('b/c.json'), archive.has('b'), archive.sizeOf('a.json')]).toEqual([true, false, 2]);
    for (const [name, text] of [
      ['a.json', '{}'],
      ['b/c.json', noise],
      ['empty.json', ''],
    ] as const)
      expect(await textOf(archive, name)).toBe(text);
    expect(await blame(textOf(archive, 'missing'))).toBe(': missing is not in the archive');
  });

  it.each([
    ['aa/b.json', '../b.json', ': the zip cannot be read: invalid relative path: ../b.json'],
    ['aaaa/b.json', 'a/../b.json', ': the zip cannot be read: invalid relative path: a/../b.json'],
    ['ab.json', '/b.json', ': the zip cannot be read: absolute path: /b.json'],
    ['abc.json', 'C:/.json', ': the zip cannot be read: absolute path: C:/.json'],
    ['aaab.json', '..\\b.json', ': the zip cannot be read: invalid relative path: ../b.json'],
  ])('a name such as %s turned into %s is refused', async (name, evil, fault) => {
    expect(await blame(open(renamed(await zipOf({ [name]: 'x' }), name, evil)))).toBe(fault);
  });

  it('a name that stands in it twice is refused', async () => {
    const zip = renamed(await zipOf({ 'a.json': '1', 'b.json': '2' }), 'b.json', 'a.json');
    expect(await blame(open(zip))).toBe(': a.json stands in the archive twice');
  });

  it('a link is refused', async () => {
    expect(await blame(open(await zipOf({ 'a.json': '/etc/passwd' }, { mode: 0o120777 })))).toBe(': a.json is a link');
  });

  it('what is encrypted, or packed in a rare way, is refused', async () => {
    const zip = await zipOf({ 'a.json': 'xxxxxxxxxxxxxxxxxxxx' });
    const encrypted = altered(zip, (bytes, at) => bytes.writeUInt16LE(bytes.readUInt16LE(at + 8) | 1, at + 8));
    expect(await blame(open(encrypted))).toBe(': a.json is encrypted');
    const bzip = altered(zip, (bytes, at) => bytes.writeUInt16LE(12, at + 10));
    expect(await blame(open(bzip))).toBe(': a.json is packed in a way that is not supported');
  });

  it('a bomb is refused before a byte of it is unpacked', async () => {
    const bomb = await zipOf({ 'a.json': Buffer.alloc(10 * MB) });
    expect(bomb.length).toBeLessThan(100_000);
    expect(await blame(open(bomb))).toBe(': a.json unpacks to more than 100 times its size');
  });

  it('a bomb that says it is small is cut off where it says', async () => {
    const bomb = altered(await zipOf({ 'a.json': Buffer.alloc(10 * MB) }), (bytes, at) =>
      bytes.writeUInt32LE(500, at + 24),
    );
    const archive = await open(bomb);
    let bytes = 0;
    const drain = async (): Promise<void> => {
      for await (const piece of archive.stream('a.json')) bytes += piece.length;
    };
    expect(await blame(drain())).toMatch(/^a\.json: it cannot be unpacked: too many bytes in the stream/);
    expect(bytes).toBeLessThanOrEqual(500);
  });

  it('many small files that are too much together are refused', async () => {
    const files = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${i}.json`, 'x'.repeat(100_000)]));
    const zip = await zipOf(files);
    expect(await blame(open(zip, 4_999_999))).toBe(': the archive unpacks to more than 4999999 bytes');
    expect([...(await open(zip, 5_000_000)).names()]).toHaveLength(50);
  });

  it('files that share their bytes are refused', async () => {
    const noise = randomBytes(100_000);
    const zip = await zipOf({ 'a.json': noise, 'b.json': 'x', 'c.json': 'y' }, { compress: false });
    // The directory's other entries say that they are the first one, under their own names.
    const [first, second, third] = entriesOf(zip);
    for (const entry of [second, third]) zip.copy(zip, entry + 16, first + 16, first + 28);
    for (const entry of [second, third]) zip.copy(zip, entry + 42, first + 42, first + 46);
    expect(await blame(open(zip))).toBe(': files of the archive overlap each other');
  });

  it('a file that was changed is found out by its checksum', async () => {
    const zip = await zipOf({ 'a.json': 'as it was written' }, { compress: false });
    zip.write('AS', zip.indexOf('as it was'));
    expect(await blame(textOf(await open(zip), 'a.json'))).toBe('a.json: it is damaged: its checksum is another one');
  });

  it('what is no zip, or only a part of one, is refused, wherever it was cut', async () => {
    expect(await blame(open(Buffer.from('{"this":"is JSON"}')))).toMatch(
      /^: the zip cannot be read: .*Either not a zip/,
    );
    expect(await blame(open(Buffer.alloc(0)))).toMatch(/^: the zip cannot be read/);
    const zip = await zipOf({ 'a.json': randomBytes(2000).toString('hex'), 'b.json': '[]' });
    for (let length = 1; length < zip.length; length += 13)
      expect(await blame(open(zip.subarray(0, length)))).toMatch(/^: the zip cannot be read/);
    // The front is missing: offsets of the directory lead to nowhere.
    for (const length of [1, 100, 1000]) {
      const rest = zip.subarray(length);
      expect(await blame(open(rest).then((archive) => textOf(archive, 'a.json')))).toMatch(/cannot be (read|unpacked)/);
    }
  });

  it('noise in its place is blamed on it, and on nobody else', async () => {
    const zip = await zipOf({ 'a.json': 'some text, some text, some text', 'b.json': '[]' });
    for (let at = 0; at < zip.length; at++) {
      const noisy = Buffer.from(zip);
      noisy[at] = (noisy[at] ?? 0) ^ 0xff;
      const read = open(noisy).then(async (archive) => {
        for (const name of archive.names()) await textOf(archive, name);
      });
      await read.catch((error: unknown) => expect(error).toBeInstanceOf(FileFault));
    }
  });

  it('a file is left closed, wherever its reader stopped', async () => {
    const zip = await zipOf({ 'a.json': randomBytes(300_000).toString('hex') });
    const broken = Buffer.from(zip);
    broken.fill(0xff, 100_000, 101_000);
    for (const bytes of [zip, broken]) {
      const file = new BytesFile(bytes, 1000);
      const { stream } = file;
      let isOpen = 0;
      file.stream = async function* (start, end): AsyncGenerator<Buffer> {
        isOpen++;
        try {
          yield* stream.call(file, start, end);
        } finally {
          isOpen--;
        }
      };
      const archive = await ZipArchive.open(file, GB);
      const stopEarly = async (): Promise<void> => {
        for await (const piece of archive.stream('a.json')) if (piece.length > 0) break;
      };
      await stopEarly();
      await textOf(archive, 'a.json').catch((error: unknown) => expect(error).toBeInstanceOf(FileFault));
      await eventually('all are closed', () => isOpen === 0);
    }
  });

  it('a fault of the disk is not blamed on it', async () => {
    const zip = await zipOf({ 'a.json': 'x' });
    const file = new BytesFile(zip);
    const broken = Object.assign(new Error('the disk is broken'), { code: 'EIO' });
    file.read = () => Promise.reject(broken);
    await expect(ZipArchive.open(file, GB)).rejects.toBe(broken);
  });
});

function entriesOf(zip: Buffer): [number, number, number] {
  const found: number[] = [];
  for (let at = zip.indexOf(CENTRAL); at >= 0; at = zip.indexOf(CENTRAL, at + 1)) found.push(at);
  const [a = 0, b = 0, c = 0] = found;
  return [a, b, c];
}

/** A zip that nobody vouches for, read without unpacking it anywhere. */
import { Readable } from 'node:stream';
import { types } from 'node:util';
import { crc32 } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import type { RandomAccess } from '../imports/import-file';
import { FileFault } from './adapter';

/** So many times larger than they are packed files may be. */
const MAX_RATIO = 100;
/** What is so small is no bomb, however well it packs: a short file of one word over and over. */
const SMALL_BYTES = 256 * 1024;
/** Each costs about a kilobyte of memory. */
const MAX_ENTRIES = 500_000;

const STORED = 0;
const DEFLATED = 8;

/**
 * The files of a zip.
 *
 * Invariants: (1) no name leads out of the archive, stands in it twice, or is that of a link; (2) what its directory says of
 * sizes is within bounds before the first byte is unpacked, and an entry that turns out to be larger than it says is cut off
 * there; (3) a file that came out whole has the checksum that the archive says.
 */
export class ZipArchive {
  private constructor(
    private readonly zip: ZipFile,
    private readonly reader: FileReader,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  /**
   * @param maxBytes that all files may have together, unpacked
   * @throws FileFault where the file is no zip, was cut off, or breaks the rules above
   */
  static async open(file: RandomAccess, maxBytes: number): Promise<ZipArchive> {
    try {
      const options = { autoClose: false, lazyEntries: true };
      const reader = new FileReader(file);
      const zip = await fromRandomAccessReaderPromise(reader, file.size, options);
      return new ZipArchive(zip, reader, await readEntries(zip, file.size, maxBytes));
    } catch (error) {
      throw explain(error, '');
    }
  }

  /** Names of all files, directories left out, in the order of the archive. */
  names(): IterableIterator<string> {
    return this.entries.keys();
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** Bytes of a file as the archive says; 0 where it is not there. */
  sizeOf(name: string): number {
    return this.entries.get(name)?.uncompressedSize ?? 0;
  }

  /** A file's bytes, unpacked as they are taken; one file at a time. Throws FileFault where it is not what the archive says of it. */
  async *stream(name: string): AsyncGenerator<Buffer, void, undefined> {
    const entry = this.entries.get(name);
    if (entry === undefined) throw new FileFault(`${name} is not in the archive`);
    try {
      let checksum = 0;
      for await (const piece of await this.zip.openReadStreamPromise(entry)) {
        checksum = crc32(piece as Buffer, checksum);
        yield piece as Buffer;
      }
      if (checksum !== entry.crc32)
        throw new FileFault('it is damaged: its checksum is another one', { file: name, line: 0 });
    } catch (error) {
      throw explain(error, name);
    } finally {
      // Where it broke off yauzl leaves it open, and with it the file.
      this.reader.endStreams();
    }
  }
}

async function readEntries(zip: ZipFile, fileBytes: number, maxBytes: number): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  let [packed, unpacked] = [0, 0];
  if (zip.entryCount > MAX_ENTRIES) throw new FileFault(`the archive has more than ${MAX_ENTRIES} files`);
  for await (const entry of zip.eachEntry()) {
    const { fileName } = entry;
    const fault = faultOfEntry(entry) ?? (entries.has(fileName) ? 'stands in the archive twice' : undefined);
    if (fault !== undefined) throw new FileFault(`${fileName} ${fault}`);
    packed += entry.compressedSize;
    unpacked += entry.uncompressedSize;
    // Entries that share their bytes: each is small, and all together are not.
    if (packed > fileBytes) throw new FileFault('files of the archive overlap each other');
    if (unpacked > maxBytes) throw new FileFault(`the archive unpacks to more than ${maxBytes} bytes`);
    if (!fileName.endsWith('/')) entries.set(fileName, entry);
  }
  return entries;
}

function faultOfEntry(entry: Entry): string | undefined {
  const { compressedSize, uncompressedSize, compressionMethod } = entry;
  if (entry.isEncrypted()) return 'is encrypted';
  if (isLink(entry)) return 'is a link';
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) return 'is packed in a way that is not supported';
  const isBomb = uncompressedSize > SMALL_BYTES && uncompressedSize > MAX_RATIO * compressedSize;
  return isBomb ? `unpacks to more than ${MAX_RATIO} times its size` : undefined;
}

const UNIX = 3;
const FILE_TYPE = 0xf000;
const LINK = 0xa000;

function isLink({ versionMadeBy, externalFileAttributes }: Entry): boolean {
  return versionMadeBy >>> 8 === UNIX && ((externalFileAttributes >>> 16) & FILE_TYPE) === LINK;
}

/** What the archive is blamed for: yauzl's errors have no code, zlib's begin with Z_. All others are this server's. */
function explain(error: unknown, file: string): unknown {
  if (error instanceof FileFault || !types.isNativeError(error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code !== undefined && !code.startsWith('Z_')) return error;
  const what = file === '' ? 'the zip cannot be read' : 'it cannot be unpacked';
  return new FileFault(`${what}: ${error.message}`, { file, line: 0 });
}

/** Gives yauzl the bytes of a file in parts. */
class FileReader extends RandomAccessReader {
  private readonly streams = new Set<Readable>();

  constructor(private readonly file: RandomAccess) {
    super();
  }

  override _readStreamForRange(start: number, end: number): Readable {
    const stream = Readable.from(this.file.stream(start, end), { objectMode: false });
    this.streams.add(stream);
    return stream;
  }

  endStreams(): void {
    for (const stream of this.streams) stream.destroy();
    this.streams.clear();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    this.file.read(position, length).then(
      (found) => {
        found.copy(buffer, offset);
        callback(null);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
    );
  }
}

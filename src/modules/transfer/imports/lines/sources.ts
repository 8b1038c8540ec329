import { Injectable } from '@nestjs/common';
import { TransferConfig } from '../../../../config';
import type { AdaptedItem } from '../../adapters/adapter';
import { slackLines } from '../../adapters/slack';
import { streamLines } from '../../adapters/stream';
import type { ImportSource } from '../entities/import.entity';
import type { ImportFile } from '../import-file';
import { chatapiLines, type SourceItem } from './source-lines';

const GB = 1024 ** 3;

/** Reads files, whatever has made them. */
@Injectable()
export class ImportSources {
  private readonly maxBytes: number;

  constructor(config: TransferConfig) {
    this.maxBytes = config.importMaxGb * GB;
  }

  /**
   * The lines of a file, in the order of an export. The same file gives the same lines each time.
   * @throws what `signal` aborts with, and what reading the file throws; a fault of the file is one of the items
   */
  async *lines(
    source: ImportSource,
    file: ImportFile,
    signal: AbortSignal,
  ): AsyncGenerator<SourceItem, void, undefined> {
    for await (const item of this.read(source, file, signal)) {
      signal.throwIfAborted();
      yield item;
    }
  }

  private read(source: ImportSource, file: ImportFile, signal: AbortSignal): AsyncIterable<SourceItem | AdaptedItem> {
    const options = { maxBytes: this.maxBytes, signal };
    if (source === 'chatapi') return chatapiLines(file.stream());
    return source === 'slack' ? slackLines(file, options) : streamLines(file, options);
  }
}

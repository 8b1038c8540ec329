import type { ImportSource } from '../entities/import.entity';
import type { ImportFile } from '../import-file';
import { chatapiLines, type SourceItem } from './source-lines';

/** The lines of a file, in the order of an export, whatever has made it. The same file gives the same lines each time. */
export function linesOf(source: ImportSource, file: ImportFile): AsyncIterable<SourceItem> {
  if (source === 'chatapi') return chatapiLines(file.stream());
  throw new Error(`files of ${source} cannot be read yet`);
}

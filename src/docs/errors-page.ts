import type { ErrorRow } from '../common/errors';
import { code, generatedFrom, page, prose, table } from './markdown';

const SHAPE = `\`\`\`json
{
  "success": false,
  "data": null,
  "error": { "code": "…", "message": "…", "field": "…", "details": {}, "request_id": "…" }
}
\`\`\``;

/** docs/errors.md: what each error code means to a client. */
export function errorsPage(catalogue: Readonly<Record<string, ErrorRow>>): string {
  const rows = Object.entries(catalogue).map(([name, row]) => [
    code(name),
    String(row.status),
    String(row.closeCode),
    row.retryable ? 'yes' : 'no',
    prose(row.meaning),
    prose(row.hint),
  ]);
  return page([
    generatedFrom('src/common/errors/catalogue.ts'),
    '# Error codes',
    'Every error answer of the three APIs has one shape; `field` is there when one is to blame:',
    SHAPE,
    'Programs go by `code`; `message` is for people and may change, as is ' +
      '`details.hint`: what to do about it, as the table says or better. "Retry" says whether the same request may succeed ' +
      'later without a change: wait for `Retry-After` seconds where it is given. The close code is that of a socket ' +
      'which is refused or closed for this reason.',
    table(['Code', 'Status', 'Close code', 'Retry', 'Meaning', 'What to do'], rows),
  ]);
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The release that runs, as package.json has it. The file lies two levels up from src/common and from dist/common. */
export const VERSION = (
  JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as { readonly version: string }
).version;

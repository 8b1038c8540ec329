/**
 * `node dist/docs/generate.js` writes the reference pages; with `--check` it names those that do not match the code
 * and exits with 1. It runs from dist because the Swagger plugin works in the compiler only. The page of the schema needs
 * a database: it is checked by an integration test, which has one.
 */
import 'reflect-metadata';
import { join } from 'node:path';
import { GENERATED_PAGES } from './pages';
import { publish, type Report } from './publish';
import { SCHEMA_PAGE } from './schema-page';

const ROOT = join(__dirname, '..', '..');

const WORDS: Record<Report['outcome'], string> = {
  unchanged: 'is up to date',
  written: 'written',
  drifted: 'does not match the code: run "npm run docs" and commit it',
  failed: 'could not be made',
};

async function main(check: boolean): Promise<void> {
  const reports = await publish(check ? GENERATED_PAGES : [...GENERATED_PAGES, SCHEMA_PAGE], ROOT, check);
  for (const { path, outcome, reason } of reports) {
    const bad = outcome === 'drifted' || outcome === 'failed';
    const line = `${path} ${WORDS[outcome]}${reason === undefined ? '' : `: ${reason}`}`;
    if (bad) console.error(line);
    else console.log(line);
    if (bad) process.exitCode = 1;
  }
}

void main(process.argv.includes('--check'));

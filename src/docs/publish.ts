import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GeneratedPage } from './pages';

export type Outcome = 'unchanged' | 'written' | 'drifted' | 'failed';

export interface Report {
  readonly path: string;
  readonly outcome: Outcome;
  /** Why it failed. */
  readonly reason?: string;
}

/**
 * Brings the files below `root` up to date, or with `check` says which are not and writes nothing. One page that
 * cannot be made does not keep the others from it.
 */
export async function publish(pages: readonly GeneratedPage[], root: string, check: boolean): Promise<Report[]> {
  const reports: Report[] = [];
  for (const page of pages) reports.push(await publishOne(page, root, check));
  return reports;
}

async function publishOne(page: GeneratedPage, root: string, check: boolean): Promise<Report> {
  const { path } = page;
  try {
    const wanted = await page.render();
    const file = join(root, path);
    if (existsSync(file) && (await readFile(file, 'utf8')) === wanted) return { path, outcome: 'unchanged' };
    if (check) return { path, outcome: 'drifted' };
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, wanted);
    return { path, outcome: 'written' };
  } catch (error) {
    return { path, outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

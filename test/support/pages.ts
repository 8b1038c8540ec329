import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

interface Found {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** What axe finds serious on a page as it is now. Its script is run in the page: the CSP lets no other one in. */
export async function seriousFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8'));
  const found: readonly Found[] = await page.evaluate('axe.run(document).then(({ violations }) => violations)');
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`));
}

/** What is stored by the page and would outlive its tab. */
export function kept(page: Page): Promise<string> {
  return page.evaluate('JSON.stringify([{ ...localStorage }, document.cookie])');
}

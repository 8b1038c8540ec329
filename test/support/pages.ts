import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { Api } from './http/api';

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

/** What a call of somebody beside the page is answered; throws where it is refused. */
export async function answered<T>(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: object,
): Promise<T> {
  const answer = await new Api(url, headers).call<T>(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

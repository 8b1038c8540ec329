import { existsSync } from 'node:fs';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { until } from './poll';
import { MAX_WAIT_MS } from './timing';

const CHROMIUM = '/usr/bin/chromium';

/** Where there is no Chromium, these tests are left out; CI has one. */
export const describeWithBrowser = existsSync(CHROMIUM) ? describe : describe.skip;

/** A page of a real browser, with what it should not do. */
export interface WatchedPage {
  readonly page: Page;
  /** URLs that it asked for elsewhere. */
  readonly foreign: string[];
  /** Errors of its console, violations of the content security policy included. */
  readonly problems: string[];
  close(): Promise<void>;
}

/** Opens an empty page; `origin` is the server that it may talk to. */
export async function openPage(origin: string): Promise<WatchedPage> {
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(MAX_WAIT_MS);
  const foreign: string[] = [];
  const problems: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) foreign.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  return { page, foreign, problems, close: () => browser.close() };
}

/** Waits until a page shows so many of them: a count that is read once may be of before the page has answered. */
export async function shows(found: Locator, count: number): Promise<void> {
  await until(
    () => found.count(),
    (n) => n === count,
  );
}

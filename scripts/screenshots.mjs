/**
 * Pictures of the pages, to be looked at: every page, narrow and wide, light and dark, of a server with life in it.
 *
 *   node scripts/screenshots.mjs [FOLDER] [PAGE…]   writes those whose names begin so, or all, into FOLDER (./screenshots)
 *   node scripts/screenshots.mjs --readme           writes the two pictures of the README, into docs/pictures
 *
 * Needs a built server (npm run build) and Debian's chromium. All of it takes about ten minutes.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { startLivelyServer } from './pictures/life.mjs';
import { takePictures, takeReadmePictures } from './pictures/pages.mjs';

const ROOT = join(import.meta.dirname, '..');
/** As long as the live page looks back: its charts are full then. */
const LOOK_BACK_MS = 10 * 60_000;

const [where = join(ROOT, 'screenshots'), ...only] = process.argv.slice(2);
const isForReadme = where === '--readme';
const folder = isForReadme ? join(ROOT, 'docs', 'pictures') : resolve(where);
const dataDir = mkdtempSync(join(tmpdir(), 'chatapi-pictures-'));
const server = await startLivelyServer(dataDir);
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
try {
  mkdirSync(folder, { recursive: true });
  if (isForReadme) {
    console.log('People talk for ten minutes, then the pictures are taken.');
    await new Promise((done) => setTimeout(done, LOOK_BACK_MS));
    await takeReadmePictures(browser, server, folder);
  } else await takePictures(browser, server, folder, only);
} finally {
  await browser.close();
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

/** A browser on a core of its own, and what its pages cost there. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { cpuSeconds } from './stats.mjs';

const CHROMIUM = '/usr/bin/chromium';
const BROWSER_CORE = '1';
/** Server, PostgreSQL and whoever sends. */
export const SERVER_CORE = '0';
export const ALL_CORES = '0,1';
const WIDTH = 1280;
const HEIGHT = 860;

/** Puts a process with all its threads, and those that it starts from now on, on one core. */
export function pin(pid, core) {
  execFileSync('taskset', ['-acp', core, String(pid)], { stdio: 'ignore' });
}

/**
 * Starts Chromium; `open` makes a page with nothing kept from the pages before it.
 * @param cores where it runs: one by itself, so that what it costs is seen; all, for times of a page that nothing disturbs
 */
export async function openBrowser(cores = BROWSER_CORE) {
  const directory = mkdtempSync(join(tmpdir(), 'chatapi-browser-'));
  // Playwright hands its arguments to one program: this one is pinned, and so is whatever it starts.
  const program = join(directory, 'chromium');
  writeFileSync(program, `#!/bin/sh\necho $$ > ${directory}/pid\nexec taskset -c ${cores} ${CHROMIUM} "$@"\n`);
  chmodSync(program, 0o755);
  const args = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
  const browser = await chromium.launch({ executablePath: program, args: [...args, '--js-flags=--expose-gc'] });
  const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'));
  return {
    /** @param begin a script that each document of the page runs first @param slowed so many times slower than it is */
    async open({ begin = '', slowed = 1 } = {}) {
      const context = await browser.newContext({ viewport: { width: WIDTH, height: HEIGHT } });
      const page = await context.newPage();
      if (begin !== '') await page.addInitScript(begin);
      const cdp = await context.newCDPSession(page);
      // The thread's own time: on a machine that others use, too, what passes meanwhile is not the page's.
      await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
      if (slowed > 1) await cdp.send('Emulation.setCPUThrottlingRate', { rate: slowed });
      return { page, cdp, close: () => context.close(), usage: () => usage(cdp, pid) };
    },
    async close() {
      await browser.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Seconds that the page's main thread and the whole browser have worked so far, and bytes of its live objects. */
async function usage(cdp, pid) {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { at: of('Timestamp'), tasks: of('TaskDuration'), browser: cpuSeconds(pid), nodes: of('Nodes') };
}

/** Bytes of what the page holds on to. */
export async function heldBytes(cdp) {
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  return usedSize;
}

/** Shares of a core between two usages. */
export function shareOf(before, after) {
  const seconds = after.at - before.at;
  return { tasks: (after.tasks - before.tasks) / seconds, browser: (after.browser - before.browser) / seconds };
}

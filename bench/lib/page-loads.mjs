/**
 * `npm run bench:pages`: how soon a page can be used, and how long lists are read. Each time is the page's own clock, from
 * the beginning of the navigation until what is waited for stands there, is painted, and the main thread is free again.
 */
import { median } from './stats.mjs';

/** Keeps in `ready` when an element was there first that the selector finds with text that fits. */
const READY = (selector, text) => `(() => {
  const fits = () => [...document.querySelectorAll(${JSON.stringify(selector)})].some((one) => ${text}.test(one.textContent));
  const look = () => {
    if (!fits()) return;
    changes.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.ready = performance.now(); }));
  };
  const changes = new MutationObserver(look);
  changes.observe(document, { childList: true, subtree: true, characterData: true });
})();`;

/** Begins a tab that is signed in. */
export function signedIn(masterKey) {
  return stored('chatapi.session', { kind: 'master', key: masterKey });
}

export function stored(name, value) {
  return `sessionStorage.setItem(${JSON.stringify(name)}, ${JSON.stringify(JSON.stringify(value))});`;
}

/** Asked from outside: the pages' policy lets nothing be evaluated within. */
async function ready(page) {
  for (;;) {
    const at = await page.evaluate('window.ready');
    if (at !== undefined) return at;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @param selector of what has to be there, and @param text a regular expression of what it says */
export async function timeToUse(browser, { url, begin, selector, text, slowed }) {
  const { page, close, usage } = await browser.open({ begin: `${begin}${READY(selector, text)}`, slowed });
  await page.goto(url, { waitUntil: 'commit' });
  const took = await ready(page);
  const { tasks } = await usage();
  await close();
  return { took, tasks: tasks * 1000 };
}

/** Rows that a list has, rendered or not: the last of them says its place. */
const LAST = `(() => {
  const all = [...document.querySelectorAll('tbody tr[data-index]')];
  return Number(all.at(-1)?.dataset.index ?? -1);
})()`;

/**
 * Scrolls a list to its end, again and again, until it has had so many pages.
 * @returns ms until its first rows, ms of each further page, and the most elements and rows that the page ever had
 */
export async function readList(browser, { url, begin, pages }) {
  const { page, close } = await browser.open({ begin: `${begin}${READY('tbody tr td', /./)}` });
  await page.goto(url, { waitUntil: 'commit' });
  const first = await ready(page);
  const further = [];
  let [elements, rows] = [0, 0];
  for (let n = 0; n < pages; n++) {
    further.push(await page.evaluate(SCROLLED));
    const now = await page.evaluate(
      `[document.querySelectorAll('*').length, document.querySelectorAll('tbody tr').length]`,
    );
    [elements, rows] = [Math.max(elements, now[0]), Math.max(rows, now[1])];
  }
  const reached = await page.evaluate(LAST);
  await close();
  return { first, next: median(further), elements, rows, reached: reached + 1 };
}

/** Goes to the end; answers when rows of beyond it are painted there, in ms. */
const SCROLLED = `new Promise((resolve) => {
  const last = () => ${LAST};
  const begun = performance.now();
  const before = last();
  const look = () => {
    scrollTo(0, document.body.scrollHeight);
    if (last() > before) requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - begun)));
    else requestAnimationFrame(look);
  };
  look();
})`;
